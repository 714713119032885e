package io.loomverbs.internal.device;

/**
 * The fields of a completion of an extended CQ beyond {@link WcStruct}: three longs each, in an
 * array that goes with a batch. A field that was not requested, or is meaningless because the work
 * failed, is 0.
 */
public final class WcExtras {
    /** The longs of one completion. */
    public static final int LONGS = 3;

    /** By the device's clock. */
    public static final int TIMESTAMP = 0;

    /** Nanoseconds since 1970. */
    public static final int WALLCLOCK = 1;

    /** {@code cvlan} in the upper half, {@code flow_tag} in the lower. */
    public static final int TAGS = 2;

    private WcExtras() {}

    /** Where those of the completion are that is at byte {@code at} of the batch. */
    public static int index(long at) {
        return (int) (at / WcStruct.BYTES) * LONGS;
    }

    public static void put(
            long[] extras, int index, long timestamp, long wallclock, int cvlan, int flowTag) {
        extras[index + TIMESTAMP] = timestamp;
        extras[index + WALLCLOCK] = wallclock;
        extras[index + TAGS] = (long) cvlan << Integer.SIZE | (flowTag & 0xffff_ffffL);
    }
}
