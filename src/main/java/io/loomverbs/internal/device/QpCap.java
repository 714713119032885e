package io.loomverbs.internal.device;

/** {@code struct ibv_qp_cap}. */
public record QpCap(
        int maxSendWr, int maxRecvWr, int maxSendSge, int maxRecvSge, int maxInlineData) {}
