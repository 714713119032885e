package io.loomverbs.internal.cm;

import io.loomverbs.internal.device.AhAttr;

/** {@code struct rdma_ud_param}: the address of a peer's queue pair, or of a multicast group. */
public record CmUdParam(AhAttr address, int qpNum, int qkey) {}
