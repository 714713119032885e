package io.loomverbs.internal.device;

/** {@code struct ibv_qp_init_attr}, but for the CQs. */
public record QpInit(int qpType, QpCap cap, boolean sqSigAll) {}
