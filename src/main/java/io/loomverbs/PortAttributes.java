package io.loomverbs;

import io.loomverbs.internal.device.PortAttr;

/**
 * The attributes of a port, including its state ({@code ibv_query_port}).
 *
 * @param state the logical state
 * @param maxMtu the largest MTU of the port; {@link Mtu#UNKNOWN} if verbs does not know it
 * @param activeMtu the MTU that is in use; the same
 * @param gidTableLength how many GIDs the port has room for ({@code gid_tbl_len})
 * @param maxMessageSize the longest message, in bytes, unsigned ({@code max_msg_sz})
 * @param pkeyTableLength how many partition keys the port has room for ({@code pkey_tbl_len})
 * @param lid the port's local identifier; 0 on Ethernet
 * @param smLid the subnet manager's local identifier
 * @param activeWidth the value of {@code active_width}: 1, 2, 4, 8 and 16 mean 1X, 4X, 8X, 12X and
 *     2X
 * @param activeSpeed the value of {@code active_speed}, in Gb/s a lane: 1 is 2.5, 2 is 5, 4 and 8
 *     are 10, 16 is 14, 32 is 25 (EDR), 64 is 50 (HDR), 128 is 100 (NDR)
 * @param physicalState the value of {@code phys_state}; 5 means LinkUp
 * @param linkLayer the protocol of the link
 * @since 0.1.0
 */
public record PortAttributes(
        PortState state,
        Mtu maxMtu,
        Mtu activeMtu,
        int gidTableLength,
        int maxMessageSize,
        int pkeyTableLength,
        int lid,
        int smLid,
        int activeWidth,
        int activeSpeed,
        int physicalState,
        LinkLayer linkLayer) {

    static PortAttributes of(PortAttr attr) {
        return new PortAttributes(
                PortState.of(attr.state()),
                Mtu.of(attr.maxMtu()),
                Mtu.of(attr.activeMtu()),
                attr.gidTblLen(),
                attr.maxMsgSz(),
                attr.pkeyTblLen(),
                attr.lid(),
                attr.smLid(),
                attr.activeWidth(),
                attr.activeSpeed(),
                attr.physState(),
                LinkLayer.of(attr.linkLayer()));
    }
}
