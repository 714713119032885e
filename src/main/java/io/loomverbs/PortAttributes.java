package io.loomverbs;

import io.loomverbs.internal.device.PortAttr;

/**
 * What a port is and in which state ({@code ibv_query_port}).
 *
 * @param state the logical state
 * @param maxMtu the largest MTU that the port can do
 * @param activeMtu the MTU that is in use
 * @param gidTableLength how many GIDs the port has room for
 * @param maxMessageSize the longest message, in bytes, unsigned
 * @param pkeyTableLength how many partition keys the port has room for
 * @param lid the port's local identifier; 0 on Ethernet
 * @param smLid the subnet manager's local identifier
 * @param activeWidth the value of {@code active_width}: 1, 2, 4 and 8 mean 1X, 4X, 8X and 12X
 * @param activeSpeed the value of {@code active_speed}: 1, 2 and 4 mean 2.5, 5 and 10 Gb/s a lane
 * @param physicalState the value of {@code phys_state}; 5 means LinkUp
 * @param linkLayer what the link speaks
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
