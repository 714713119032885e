package io.loomverbs.internal.device;

/** {@code struct ibv_srq_attr}. */
public record SrqAttr(int maxWr, int maxSge, int srqLimit) {}
