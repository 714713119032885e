package io.loomverbs;

import io.loomverbs.internal.device.AhAttr;

import org.jspecify.annotations.Nullable;

/**
 * An address in the fabric ({@code struct ibv_ah_attr}, with {@code grh} in it; {@code is_global}
 * if there is a {@code dgid}).
 *
 * @param portNum the local port to send from, from 1 on
 * @param dlid the local identifier of the destination port; 0 on Ethernet
 * @param sl the service level, 0 to 15
 * @param dgid the GID of the destination port, or null to send no global routing header; Ethernet
 *     (RoCE) requires it
 * @param sgidIndex which GID of the local port is the source, if there is a {@code dgid}; {@link
 *     #FITTING_GID} for one that fits it
 * @param hopLimit how many routers a message may pass, 0 to 255
 * @param trafficClass the traffic class, 0 to 255
 * @param flowLabel the flow label, 20 bits
 * @param srcPathBits which LID of the local port is the source, counted from its first, 0 to 255;
 *     on InfiniBand ({@code src_path_bits})
 * @param staticRate the highest rate to send at, a value of {@code enum ibv_rate}, 0 to 255; 0 for
 *     the port's rate
 * @since 0.1.0
 */
public record AhAttributes(
        int portNum,
        int dlid,
        int sl,
        @Nullable Gid dgid,
        int sgidIndex,
        int hopLimit,
        int trafficClass,
        int flowLabel,
        int srcPathBits,
        int staticRate) {
    /**
     * A value for {@code sgidIndex}: the local port's GID that reaches {@code dgid}, chosen when
     * the address is used. On InfiniBand the first; on Ethernet one of the same family (IPv4 or
     * IPv6), of RoCE version 2 if the port has one.
     */
    public static final int FITTING_GID = -2;

    static final int HOP_LIMIT = 64;

    /**
     * Checks everything that does not depend on a device.
     *
     * @throws IllegalArgumentException if a component is out of the range given above
     */
    public AhAttributes {
        Arguments.inRange("portNum", portNum, 1, 255, "ports count from 1");
        Arguments.inRange("dlid", dlid, 0, 0xffff, "16 bits");
        Arguments.inRange("sl", sl, 0, 15, "4 bits");
        if (sgidIndex != FITTING_GID) {
            Arguments.inRange("sgidIndex", sgidIndex, 0, 255, "8 bits");
        }
        Arguments.inRange("hopLimit", hopLimit, 0, 255, "8 bits");
        Arguments.inRange("trafficClass", trafficClass, 0, 255, "8 bits");
        Arguments.inRange("flowLabel", flowLabel, 0, 0xfffff, "20 bits");
        Arguments.inRange("srcPathBits", srcPathBits, 0, 255, "8 bits");
        Arguments.inRange("staticRate", staticRate, 0, 255, "8 bits");
    }

    /**
     * Creates an address from the first LID of the local port, at the port's rate.
     *
     * @param portNum the local port to send from, from 1 on
     * @param dlid the local identifier of the destination port; 0 on Ethernet
     * @param sl the service level, 0 to 15
     * @param dgid the GID of the destination port, or null to send no global routing header
     * @param sgidIndex which GID of the local port is the source, or {@link #FITTING_GID}
     * @param hopLimit how many routers a message may pass, 0 to 255
     * @param trafficClass the traffic class, 0 to 255
     * @param flowLabel the flow label, 20 bits
     * @throws IllegalArgumentException if a value is out of the range given here
     */
    public AhAttributes(
            int portNum,
            int dlid,
            int sl,
            @Nullable Gid dgid,
            int sgidIndex,
            int hopLimit,
            int trafficClass,
            int flowLabel) {
        this(portNum, dlid, sl, dgid, sgidIndex, hopLimit, trafficClass, flowLabel, 0, 0);
    }

    /**
     * The address of a port by its GID, from the GID of the local port 1 that fits it ({@link
     * #FITTING_GID}). For another port or GID see {@link QueuePair#addressOf}.
     *
     * @param dgid the GID of the destination port
     * @param dlid the local identifier of the destination port; 0 on Ethernet
     * @return the address
     */
    public static AhAttributes of(Gid dgid, int dlid) {
        Arguments.notNull(dgid, "dgid");
        return new AhAttributes(1, dlid, 0, dgid, FITTING_GID, HOP_LIMIT, 0, 0);
    }

    /** The same, with a GID of the port in the place of {@link #FITTING_GID}. */
    AhAttributes fitting(Context context) {
        if (sgidIndex != FITTING_GID) {
            return this;
        }
        boolean known = portNum <= context.attributes().physicalPortCount();
        int index = dgid == null || !known ? 0 : GidChoice.reaching(context, portNum, dgid);
        return new AhAttributes(
                portNum,
                dlid,
                sl,
                dgid,
                index,
                hopLimit,
                trafficClass,
                flowLabel,
                srcPathBits,
                staticRate);
    }

    AhAttr attr() {
        return new AhAttr(
                dgid == null ? 0 : dgid.subnetPrefix(),
                dgid == null ? 0 : dgid.interfaceId(),
                dgid != null,
                sgidIndex,
                hopLimit,
                trafficClass,
                flowLabel,
                dlid,
                sl,
                portNum,
                srcPathBits,
                staticRate);
    }

    static AhAttributes of(AhAttr attr) {
        return new AhAttributes(
                Math.max(1, attr.portNum()),
                attr.dlid(),
                attr.sl(),
                attr.global() ? new Gid(attr.dgidHigh(), attr.dgidLow()) : null,
                attr.sgidIndex(),
                attr.hopLimit(),
                attr.trafficClass(),
                attr.flowLabel(),
                attr.srcPathBits(),
                attr.staticRate());
    }
}
