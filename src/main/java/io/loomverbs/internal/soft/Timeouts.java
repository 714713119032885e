package io.loomverbs.internal.soft;

/** The times that verbs encode in five bits. */
final class Timeouts {
    static final int MAX_CODE = 31;

    private static final int TRANSPORT_UNIT_NANOS = 4_096;

    /** Hundredths of a millisecond, IBA table 45; code 0 is the longest. */
    private static final int[] RNR_10_US = {
        65536, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024,
        1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152
    };

    private static final long NANOS_PER_10_US = 10_000;

    private Timeouts() {}

    /** How long to wait for an answer, {@code ibv_qp_attr.timeout}; 0 is indefinitely. */
    static long responseNanos(int code) {
        return code == 0 ? 0 : (long) TRANSPORT_UNIT_NANOS << code;
    }

    /** How long to wait for a receive buffer, {@code ibv_qp_attr.min_rnr_timer}. */
    static long rnrNanos(int code) {
        return RNR_10_US[code] * NANOS_PER_10_US;
    }
}
