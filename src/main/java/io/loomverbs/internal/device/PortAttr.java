package io.loomverbs.internal.device;

/** {@code struct ibv_port_attr}. */
public record PortAttr(
        int state,
        int maxMtu,
        int activeMtu,
        int gidTblLen,
        int portCapFlags,
        int maxMsgSz,
        int badPkeyCntr,
        int qkeyViolCntr,
        int pkeyTblLen,
        int lid,
        int smLid,
        int lmc,
        int maxVlNum,
        int smSl,
        int subnetTimeout,
        int initTypeReply,
        int activeWidth,
        int activeSpeed,
        int physState,
        int linkLayer,
        int flags,
        int portCapFlags2) {}
