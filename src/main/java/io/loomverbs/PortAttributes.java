package io.loomverbs;

import io.loomverbs.internal.device.PortAttr;

/**
 * The attributes of a port, including its state ({@code ibv_query_port}).
 *
 * @param state the logical state
 * @param maxMtu the largest MTU of the port; {@link Mtu#UNKNOWN} if verbs does not know it
 * @param activeMtu the MTU that is in use; the same
 * @param gidTableLength how many GIDs the port has room for ({@code gid_tbl_len})
 * @param capabilityFlags what the port can do: {@code enum ibv_port_cap_flags} ({@code
 *     port_cap_flags})
 * @param maxMessageSize the longest message, in bytes, unsigned ({@code max_msg_sz})
 * @param badPkeyCounter how many packets came with a partition key that the port does not have
 *     ({@code bad_pkey_cntr}), if the device counts them
 * @param qkeyViolationCounter how many datagrams came with a wrong qkey ({@code qkey_viol_cntr}),
 *     if the device counts them
 * @param pkeyTableLength how many partition keys the port has room for ({@code pkey_tbl_len})
 * @param lid the port's local identifier; 0 on Ethernet
 * @param smLid the subnet manager's local identifier
 * @param lmc how many low bits of the local identifier are path bits ({@code lmc}): the port has
 *     {@code 1 << lmc} identifiers
 * @param maxVlNum the value of {@code max_vl_num}, the virtual lanes: 1 is VL0, 2 is VL0 and VL1, 3
 *     is VL0 to VL3, 4 is VL0 to VL7, 5 is VL0 to VL14
 * @param smSl the service level of the subnet manager ({@code sm_sl})
 * @param subnetTimeout how long a packet takes at most through the subnet ({@code subnet_timeout}):
 *     4.096 microseconds times two to the power of this
 * @param initTypeReply the value of {@code init_type_reply}: how the subnet manager has initialized
 *     the port
 * @param activeWidth the value of {@code active_width}: 1, 2, 4, 8 and 16 mean 1X, 4X, 8X, 12X and
 *     2X
 * @param activeSpeed the value of {@code active_speed_ex}, or if there is none, of {@code
 *     active_speed}, in Gb/s a lane: 1 is 2.5, 2 is 5, 4 and 8 are 10, 16 is 14, 32 is 25 (EDR), 64
 *     is 50 (HDR), 128 is 100 (NDR), 256 is 200 (XDR)
 * @param physicalState the value of {@code phys_state}; 5 means LinkUp
 * @param linkLayer the protocol of the link
 * @param flags the value of {@code flags}: bit 0 if every packet needs a routing header
 * @param capabilityFlags2 what else the port can do: {@code enum ibv_port_cap_flags2} ({@code
 *     port_cap_flags2})
 * @since 0.1.0
 */
public record PortAttributes(
        PortState state,
        Mtu maxMtu,
        Mtu activeMtu,
        int gidTableLength,
        int capabilityFlags,
        int maxMessageSize,
        int badPkeyCounter,
        int qkeyViolationCounter,
        int pkeyTableLength,
        int lid,
        int smLid,
        int lmc,
        int maxVlNum,
        int smSl,
        int subnetTimeout,
        int initTypeReply,
        int activeWidth,
        int activeSpeed,
        int physicalState,
        LinkLayer linkLayer,
        int flags,
        int capabilityFlags2) {

    static PortAttributes of(PortAttr attr) {
        return new PortAttributes(
                PortState.of(attr.state()),
                Mtu.of(attr.maxMtu()),
                Mtu.of(attr.activeMtu()),
                attr.gidTblLen(),
                attr.portCapFlags(),
                attr.maxMsgSz(),
                attr.badPkeyCntr(),
                attr.qkeyViolCntr(),
                attr.pkeyTblLen(),
                attr.lid(),
                attr.smLid(),
                attr.lmc(),
                attr.maxVlNum(),
                attr.smSl(),
                attr.subnetTimeout(),
                attr.initTypeReply(),
                attr.activeWidth(),
                attr.activeSpeed(),
                attr.physState(),
                LinkLayer.of(attr.linkLayer()),
                attr.flags(),
                attr.portCapFlags2());
    }
}
