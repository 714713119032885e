package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceAttrEx;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvDeviceAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvDeviceAttrEx;
import io.loomverbs.internal.ffi.IbvLayouts.IbvPortAttr;
import io.loomverbs.internal.ffi.Struct;

/** Attributes of a device and its ports, from libibverbs. */
final class Attributes {
    /**
     * libibverbs does not report it; each queue pair reports its own when it is created. This is
     * the capacity of a work request.
     */
    private static final int MAX_INLINE = 1 << 16;

    /**
     * {@code active_speed_ex}, which newer versions of libibverbs append, for speeds that do not
     * fit into a byte. An older one leaves it 0, as does a driver that does not know it.
     */
    private static final int ACTIVE_SPEED_EX = 52;

    private Attributes() {}

    static DeviceAttr device(Struct attr, int numCompVectors) {
        return new DeviceAttr(
                attr.string(IbvDeviceAttr.FW_VER, IbvDeviceAttr.FW_VER_BYTES),
                attr.be64(IbvDeviceAttr.NODE_GUID),
                attr.be64(IbvDeviceAttr.SYS_IMAGE_GUID),
                attr.i64(IbvDeviceAttr.MAX_MR_SIZE),
                attr.i64(IbvDeviceAttr.PAGE_SIZE_CAP),
                attr.i32(IbvDeviceAttr.VENDOR_ID),
                attr.i32(IbvDeviceAttr.VENDOR_PART_ID),
                attr.i32(IbvDeviceAttr.HW_VER),
                attr.i32(IbvDeviceAttr.MAX_QP),
                attr.i32(IbvDeviceAttr.MAX_QP_WR),
                attr.i32(IbvDeviceAttr.DEVICE_CAP_FLAGS),
                attr.i32(IbvDeviceAttr.MAX_SGE),
                attr.i32(IbvDeviceAttr.MAX_SGE_RD),
                attr.i32(IbvDeviceAttr.MAX_CQ),
                attr.i32(IbvDeviceAttr.MAX_CQE),
                attr.i32(IbvDeviceAttr.MAX_MR),
                attr.i32(IbvDeviceAttr.MAX_PD),
                attr.i32(IbvDeviceAttr.MAX_MW),
                attr.i32(IbvDeviceAttr.MAX_AH),
                attr.i32(IbvDeviceAttr.MAX_SRQ),
                attr.i32(IbvDeviceAttr.MAX_SRQ_WR),
                attr.i32(IbvDeviceAttr.MAX_SRQ_SGE),
                attr.i32(IbvDeviceAttr.MAX_QP_RD_ATOM),
                attr.i32(IbvDeviceAttr.MAX_QP_INIT_RD_ATOM),
                attr.i32(IbvDeviceAttr.MAX_RES_RD_ATOM),
                MAX_INLINE,
                attr.i32(IbvDeviceAttr.ATOMIC_CAP),
                attr.i32(IbvDeviceAttr.MAX_MCAST_GRP),
                attr.i32(IbvDeviceAttr.MAX_MCAST_QP_ATTACH),
                attr.i32(IbvDeviceAttr.MAX_TOTAL_MCAST_QP_ATTACH),
                attr.u16(IbvDeviceAttr.MAX_PKEYS),
                attr.u8(IbvDeviceAttr.LOCAL_CA_ACK_DELAY),
                attr.u8(IbvDeviceAttr.PHYS_PORT_CNT),
                numCompVectors);
    }

    static DeviceAttrEx deviceEx(Struct attr) {
        return new DeviceAttrEx(
                attr.i64(IbvDeviceAttrEx.DEVICE_CAP_FLAGS_EX),
                attr.i64(IbvDeviceAttrEx.ODP_CAPS__GENERAL_CAPS),
                attr.i32(IbvDeviceAttrEx.ODP_CAPS__PER_TRANSPORT_CAPS__RC_ODP_CAPS),
                attr.i32(IbvDeviceAttrEx.ODP_CAPS__PER_TRANSPORT_CAPS__UC_ODP_CAPS),
                attr.i32(IbvDeviceAttrEx.ODP_CAPS__PER_TRANSPORT_CAPS__UD_ODP_CAPS),
                attr.i64(IbvDeviceAttrEx.COMPLETION_TIMESTAMP_MASK),
                attr.i64(IbvDeviceAttrEx.HCA_CORE_CLOCK),
                attr.u16(IbvDeviceAttrEx.CQ_MOD_CAPS__MAX_CQ_COUNT),
                attr.u16(IbvDeviceAttrEx.CQ_MOD_CAPS__MAX_CQ_PERIOD));
    }

    static PortAttr port(Struct attr) {
        int extended = attr.i32(ACTIVE_SPEED_EX);
        return port(attr, extended == 0 ? attr.u8(IbvPortAttr.ACTIVE_SPEED) : extended);
    }

    private static PortAttr port(Struct attr, int activeSpeed) {
        return new PortAttr(
                attr.i32(IbvPortAttr.STATE),
                attr.i32(IbvPortAttr.MAX_MTU),
                attr.i32(IbvPortAttr.ACTIVE_MTU),
                attr.i32(IbvPortAttr.GID_TBL_LEN),
                attr.i32(IbvPortAttr.PORT_CAP_FLAGS),
                attr.i32(IbvPortAttr.MAX_MSG_SZ),
                attr.i32(IbvPortAttr.BAD_PKEY_CNTR),
                attr.i32(IbvPortAttr.QKEY_VIOL_CNTR),
                attr.u16(IbvPortAttr.PKEY_TBL_LEN),
                attr.u16(IbvPortAttr.LID),
                attr.u16(IbvPortAttr.SM_LID),
                attr.u8(IbvPortAttr.LMC),
                attr.u8(IbvPortAttr.MAX_VL_NUM),
                attr.u8(IbvPortAttr.SM_SL),
                attr.u8(IbvPortAttr.SUBNET_TIMEOUT),
                attr.u8(IbvPortAttr.INIT_TYPE_REPLY),
                attr.u8(IbvPortAttr.ACTIVE_WIDTH),
                activeSpeed,
                attr.u8(IbvPortAttr.PHYS_STATE),
                attr.u8(IbvPortAttr.LINK_LAYER),
                attr.u8(IbvPortAttr.FLAGS),
                attr.u16(IbvPortAttr.PORT_CAP_FLAGS2));
    }
}
