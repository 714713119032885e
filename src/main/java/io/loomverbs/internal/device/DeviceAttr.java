package io.loomverbs.internal.device;

/** {@code struct ibv_device_attr}, and {@code num_comp_vectors} of the context. */
public record DeviceAttr(
        String fwVer,
        long nodeGuid,
        long sysImageGuid,
        long maxMrSize,
        long pageSizeCap,
        int vendorId,
        int vendorPartId,
        int hwVer,
        int maxQp,
        int maxQpWr,
        int maxSge,
        int maxSgeRd,
        int maxCq,
        int maxCqe,
        int maxMr,
        int maxPd,
        int maxAh,
        int maxQpRdAtom,
        int maxQpInitRdAtom,
        int maxResRdAtom,
        int maxInlineData,
        int atomicCap,
        int maxPkeys,
        int physPortCnt,
        int numCompVectors) {}
