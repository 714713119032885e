package io.loomverbs;

import io.loomverbs.internal.device.AhAttr;

import org.jspecify.annotations.Nullable;

/**
 * An address: where on the fabric something is ({@code struct ibv_ah_attr}, with {@code grh} in it;
 * {@code is_global} if there is a {@code dgid}).
 *
 * @param portNum the local port to send from, from 1 on
 * @param dlid the local identifier of the destination port; 0 on Ethernet
 * @param sl the service level, 0 to 15
 * @param dgid the GID of the destination port, or null to send no global routing header; Ethernet
 *     (RoCE) has no other way
 * @param sgidIndex which GID of the local port is the source, if there is a {@code dgid}
 * @param hopLimit how many routers a message may pass, 0 to 255
 * @param trafficClass the traffic class, 0 to 255
 * @param flowLabel the flow label, 20 bits
 */
public record AhAttributes(
        int portNum,
        int dlid,
        int sl,
        @Nullable Gid dgid,
        int sgidIndex,
        int hopLimit,
        int trafficClass,
        int flowLabel) {

    /**
     * Checks what can be checked without a device.
     *
     * @throws IllegalArgumentException if a component is out of the range given above
     */
    public AhAttributes {
        Arguments.inRange("portNum", portNum, 1, 255, "ports count from 1");
        Arguments.inRange("dlid", dlid, 0, 0xffff, "16 bits");
        Arguments.inRange("sl", sl, 0, 15, "4 bits");
        Arguments.inRange("sgidIndex", sgidIndex, 0, 255, "8 bits");
        Arguments.inRange("hopLimit", hopLimit, 0, 255, "8 bits");
        Arguments.inRange("trafficClass", trafficClass, 0, 255, "8 bits");
        Arguments.inRange("flowLabel", flowLabel, 0, 0xfffff, "20 bits");
    }

    /**
     * The address of a port by its GID, from GID index 0 of the local port 1.
     *
     * @param dgid the GID of the destination port
     * @param dlid the local identifier of the destination port; 0 on Ethernet
     * @return the address
     */
    public static AhAttributes of(Gid dgid, int dlid) {
        return new AhAttributes(1, dlid, 0, Arguments.notNull(dgid, "dgid"), 0, 64, 0, 0);
    }

    void check(Context context) {
        context.checkPort("portNum", portNum);
        if (dgid != null) {
            Arguments.inRange(
                    "sgidIndex",
                    sgidIndex,
                    0,
                    context.port(portNum).gidTableLength() - 1,
                    "gid_tbl_len of port " + portNum);
        }
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
                portNum);
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
                attr.flowLabel());
    }
}
