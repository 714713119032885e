package io.loomverbs.internal.cm;

import io.loomverbs.internal.device.AhAttr;

/** What {@code struct rdma_ud_param} says of a peer's queue pair, or of a multicast group. */
public record CmUdParam(AhAttr address, int qpNum, int qkey) {}
