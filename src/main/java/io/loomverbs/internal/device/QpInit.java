package io.loomverbs.internal.device;

/** {@code struct ibv_qp_init_attr}, but for the CQs and the shared receive queue. */
public record QpInit(int qpType, QpCap cap, boolean sqSigAll) {}
