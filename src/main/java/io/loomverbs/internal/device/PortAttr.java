package io.loomverbs.internal.device;

/** {@code struct ibv_port_attr}. */
public record PortAttr(
        int state,
        int maxMtu,
        int activeMtu,
        int gidTblLen,
        int maxMsgSz,
        int pkeyTblLen,
        int lid,
        int smLid,
        int activeWidth,
        int activeSpeed,
        int physState,
        int linkLayer) {}
