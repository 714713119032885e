package io.loomverbs.internal.soft;

/** Packet sequence numbers: 24 bits, compared within half their circle (IBA 9.7.2). */
final class Psn {
    static final int MASK = 0xff_ffff;
    private static final int UNUSED_BITS = 8;

    private Psn() {}

    static int plus(int psn, int packets) {
        return (psn + packets) & MASK;
    }

    /** How far {@code psn} is ahead of {@code expected}; negative if it is behind. */
    static int ahead(int psn, int expected) {
        return (psn - expected) << UNUSED_BITS >> UNUSED_BITS;
    }
}
