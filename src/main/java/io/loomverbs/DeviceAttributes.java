package io.loomverbs;

import io.loomverbs.internal.device.DeviceAttr;

/**
 * The capabilities and limits of a device ({@code ibv_query_device}).
 *
 * @param firmwareVersion the version of the device's firmware ({@code fw_ver})
 * @param nodeGuid the GUID of the device
 * @param systemImageGuid the GUID of the system that the device is part of
 * @param maxMrSize the largest memory region, in bytes, unsigned
 * @param pageSizeCap a bit for each page size that the device supports
 * @param vendorId the vendor, by its IEEE number
 * @param vendorPartId the vendor's number of the part
 * @param hardwareVersion the hardware's revision ({@code hw_ver})
 * @param maxQp how many queue pairs there may be
 * @param maxQpWr how many work requests a send or a receive queue may hold
 * @param deviceCapFlags capability flags ({@code device_cap_flags}); see {@link #has}
 * @param maxSge how many scatter/gather entries a work request may have ({@code max_sge})
 * @param maxSgeRead how many scatter/gather entries an RDMA READ may have, on devices that set it
 *     apart ({@code max_sge_rd})
 * @param maxCq how many completion queues there may be
 * @param maxCqe how many completions a CQ may hold
 * @param maxMr how many memory regions there may be
 * @param maxPd how many protection domains there may be
 * @param maxMw how many memory windows there may be; some devices that have them say 0
 * @param maxAh how many address handles there may be
 * @param maxSrq how many shared receive queues there may be
 * @param maxSrqWr how many work requests a shared receive queue may hold
 * @param maxSrqSge how many scatter entries a request of a shared receive queue may have
 * @param maxQpReadAtomic how many READs and atomics a queue pair may serve at once ({@code
 *     max_qp_rd_atom}): the limit of {@code maxDestRdAtomic}
 * @param maxQpInitReadAtomic how many READs and atomics a queue pair may have outstanding ({@code
 *     max_qp_init_rd_atom}): the limit of {@code maxRdAtomic}
 * @param maxResourceReadAtomic how many READs and atomics the device may serve at once ({@code
 *     max_res_rd_atom})
 * @param maxInlineData the largest {@link QpConfig#maxInlineData}; verbs does not know a device's
 *     own limit before a queue pair is created, so for a libibverbs device this is the capacity of
 *     a work request
 * @param atomicCapability which other accesses atomic operations are atomic to ({@code atomic_cap})
 * @param maxMcastGroups how many multicast groups there may be ({@code max_mcast_grp}); 0 if the
 *     device has none, or does not say
 * @param maxMcastQpAttach how many queue pairs may be attached to a group ({@code
 *     max_mcast_qp_attach})
 * @param maxTotalMcastQpAttach how many queue pairs may be attached to groups in all ({@code
 *     max_total_mcast_qp_attach})
 * @param maxPkeys how many partition keys there are
 * @param localCaAckDelay how long the device takes at most to acknowledge a message ({@code
 *     local_ca_ack_delay}): 4.096 microseconds times two to the power of this
 * @param physicalPortCount how many ports the device has ({@code phys_port_cnt}); they count from 1
 * @param numCompVectors how many completion vectors the context has
 * @since 0.1.0
 */
public record DeviceAttributes(
        String firmwareVersion,
        long nodeGuid,
        long systemImageGuid,
        long maxMrSize,
        long pageSizeCap,
        int vendorId,
        int vendorPartId,
        int hardwareVersion,
        int maxQp,
        int maxQpWr,
        int deviceCapFlags,
        int maxSge,
        int maxSgeRead,
        int maxCq,
        int maxCqe,
        int maxMr,
        int maxPd,
        int maxMw,
        int maxAh,
        int maxSrq,
        int maxSrqWr,
        int maxSrqSge,
        int maxQpReadAtomic,
        int maxQpInitReadAtomic,
        int maxResourceReadAtomic,
        int maxInlineData,
        AtomicCapability atomicCapability,
        int maxMcastGroups,
        int maxMcastQpAttach,
        int maxTotalMcastQpAttach,
        int maxPkeys,
        int localCaAckDelay,
        int physicalPortCount,
        int numCompVectors) {

    /**
     * Whether the device says that it has an optional feature.
     *
     * @param capability the feature
     * @return true if its flag is set
     */
    public boolean has(DeviceCapability capability) {
        return (deviceCapFlags & Arguments.notNull(capability, "capability").flag()) != 0;
    }

    static DeviceAttributes of(DeviceAttr attr) {
        return new DeviceAttributes(
                attr.fwVer(),
                attr.nodeGuid(),
                attr.sysImageGuid(),
                attr.maxMrSize(),
                attr.pageSizeCap(),
                attr.vendorId(),
                attr.vendorPartId(),
                attr.hwVer(),
                attr.maxQp(),
                attr.maxQpWr(),
                attr.deviceCapFlags(),
                attr.maxSge(),
                attr.maxSgeRd(),
                attr.maxCq(),
                attr.maxCqe(),
                attr.maxMr(),
                attr.maxPd(),
                attr.maxMw(),
                attr.maxAh(),
                attr.maxSrq(),
                attr.maxSrqWr(),
                attr.maxSrqSge(),
                attr.maxQpRdAtom(),
                attr.maxQpInitRdAtom(),
                attr.maxResRdAtom(),
                attr.maxInlineData(),
                AtomicCapability.of(attr.atomicCap()),
                attr.maxMcastGrp(),
                attr.maxMcastQpAttach(),
                attr.maxTotalMcastQpAttach(),
                attr.maxPkeys(),
                attr.localCaAckDelay(),
                attr.physPortCnt(),
                attr.numCompVectors());
    }
}
