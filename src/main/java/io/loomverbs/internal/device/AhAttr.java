package io.loomverbs.internal.device;

/**
 * {@code struct ibv_ah_attr}. The GID is two big-endian halves; it counts only if {@code global}.
 */
public record AhAttr(
        long dgidHigh,
        long dgidLow,
        boolean global,
        int sgidIndex,
        int hopLimit,
        int trafficClass,
        int flowLabel,
        int dlid,
        int sl,
        int portNum,
        int srcPathBits,
        int staticRate) {
    /** All zero: what a fresh structure holds. */
    public static final AhAttr NONE = new AhAttr(0, 0, false, 0, 0, 0, 0, 0, 0, 0);

    /** From the port's base LID, at the port's rate. */
    public AhAttr(
            long dgidHigh,
            long dgidLow,
            boolean global,
            int sgidIndex,
            int hopLimit,
            int trafficClass,
            int flowLabel,
            int dlid,
            int sl,
            int portNum) {
        this(
                dgidHigh,
                dgidLow,
                global,
                sgidIndex,
                hopLimit,
                trafficClass,
                flowLabel,
                dlid,
                sl,
                portNum,
                0,
                0);
    }
}
