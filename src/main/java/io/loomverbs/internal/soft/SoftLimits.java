package io.loomverbs.internal.soft;

/** The limits of a device. */
record SoftLimits(
        int maxQp,
        int maxQpWr,
        int maxSge,
        int maxInline,
        int maxCq,
        int maxCqe,
        int maxMr,
        int maxPd,
        int maxAh,
        int maxSrq,
        int numCompVectors) {

    /** Large enough for storms of a hundred thousand CQs; unused capacity costs no memory. */
    static final SoftLimits GENEROUS =
            new SoftLimits(
                    (1 << 19) - 16, // numbers of 24 bits, of which some have a meaning
                    1 << 15,
                    32,
                    1024,
                    1 << 18,
                    1 << 22,
                    1 << 20,
                    1 << 16,
                    1 << 20,
                    1 << 16,
                    Math.max(4, Runtime.getRuntime().availableProcessors()));

    /** As many objects, but each with small capacities. */
    static final SoftLimits STRICT =
            new SoftLimits(
                    GENEROUS.maxQp,
                    1 << 12,
                    4,
                    64,
                    GENEROUS.maxCq,
                    1 << 16,
                    GENEROUS.maxMr,
                    GENEROUS.maxPd,
                    GENEROUS.maxAh,
                    GENEROUS.maxSrq,
                    GENEROUS.numCompVectors);
}
