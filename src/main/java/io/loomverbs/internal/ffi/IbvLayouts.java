package io.loomverbs.internal.ffi;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The offsets of the fields of libibverbs' structures, in bytes. A test compares them with the
 * headers of x86-64 and AArch64, and takes the fields' names from these constants; {@code __} is
 * the dot of a nested field. (Structures that cross the ops table, such as work requests, are in
 * {@code io.loomverbs.internal.device}.)
 *
 * <p>They hold for every 64-bit Linux, except those marked {@link AfterMutex}.
 */
public final class IbvLayouts {
    private static final int[] MUTEX_EXCESSES = mutexExcesses(System.getProperty("os.arch", ""));

    private IbvLayouts() {}

    /**
     * Behind a {@code pthread_mutex_t}, whose size differs: the value is that for 40 bytes, and
     * {@link #mutexExcess} is to be added.
     */
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.FIELD)
    @interface AfterMutex {}

    public static final class IbvDevice {
        public static final int TRANSPORT_TYPE = 20;
        public static final int NAME = 24;
        public static final int NAME_BYTES = 64;
        public static final int DEV_NAME = 88;
        public static final int DEV_NAME_BYTES = 64;

        private IbvDevice() {}
    }

    public static final class IbvContext {
        public static final int DEVICE = 0;
        public static final int OPS__ALLOC_MW = 64;
        public static final int OPS__BIND_MW = 72;
        public static final int OPS__DEALLOC_MW = 80;
        public static final int OPS__POLL_CQ = 96;
        public static final int OPS__REQ_NOTIFY_CQ = 104;
        public static final int OPS__POST_SRQ_RECV = 168;
        public static final int OPS__POST_SEND = 208;
        public static final int OPS__POST_RECV = 216;
        public static final int CMD_FD = 264;
        public static final int ASYNC_FD = 268;
        public static final int NUM_COMP_VECTORS = 272;

        @AfterMutex public static final int ABI_COMPAT = 320;

        @AfterMutex public static final int BYTES = 328;

        private IbvContext() {}
    }

    /** Stands in front of the {@code ibv_context}, and has grown at its beginning. */
    public static final class VerbsContext {
        public static final int QUERY_PORT = 0;
        public static final int ADVISE_MR = 8;
        public static final int MODIFY_CQ = 136;
        public static final int QUERY_RT_VALUES = 192;
        public static final int CREATE_CQ_EX = 200;
        public static final int QUERY_DEVICE_EX = 216;
        public static final int SZ = 312;

        /** The {@code ibv_context}; fields count from their distance to it. */
        public static final int CONTEXT = 320;

        private VerbsContext() {}
    }

    public static final class IbvDeviceAttr {
        public static final int FW_VER = 0;
        public static final int FW_VER_BYTES = 64;
        public static final int NODE_GUID = 64;
        public static final int SYS_IMAGE_GUID = 72;
        public static final int MAX_MR_SIZE = 80;
        public static final int PAGE_SIZE_CAP = 88;
        public static final int VENDOR_ID = 96;
        public static final int VENDOR_PART_ID = 100;
        public static final int HW_VER = 104;
        public static final int MAX_QP = 108;
        public static final int MAX_QP_WR = 112;
        public static final int DEVICE_CAP_FLAGS = 116;
        public static final int MAX_SGE = 120;
        public static final int MAX_SGE_RD = 124;
        public static final int MAX_CQ = 128;
        public static final int MAX_CQE = 132;
        public static final int MAX_MR = 136;
        public static final int MAX_PD = 140;
        public static final int MAX_QP_RD_ATOM = 144;
        public static final int MAX_RES_RD_ATOM = 152;
        public static final int MAX_QP_INIT_RD_ATOM = 156;
        public static final int ATOMIC_CAP = 164;
        public static final int MAX_MW = 176;
        public static final int MAX_MCAST_GRP = 188;
        public static final int MAX_MCAST_QP_ATTACH = 192;
        public static final int MAX_TOTAL_MCAST_QP_ATTACH = 196;
        public static final int MAX_AH = 200;
        public static final int MAX_SRQ = 212;
        public static final int MAX_SRQ_WR = 216;
        public static final int MAX_SRQ_SGE = 220;
        public static final int MAX_PKEYS = 224;
        public static final int LOCAL_CA_ACK_DELAY = 226;
        public static final int PHYS_PORT_CNT = 227;
        public static final int BYTES = 232;

        private IbvDeviceAttr() {}
    }

    public static final class IbvDeviceAttrEx {
        public static final int ODP_CAPS__GENERAL_CAPS = 240;
        public static final int ODP_CAPS__PER_TRANSPORT_CAPS__RC_ODP_CAPS = 248;
        public static final int ODP_CAPS__PER_TRANSPORT_CAPS__UC_ODP_CAPS = 252;
        public static final int ODP_CAPS__PER_TRANSPORT_CAPS__UD_ODP_CAPS = 256;
        public static final int COMPLETION_TIMESTAMP_MASK = 264;
        public static final int HCA_CORE_CLOCK = 272;
        public static final int DEVICE_CAP_FLAGS_EX = 280;
        public static final int CQ_MOD_CAPS__MAX_CQ_COUNT = 368;
        public static final int CQ_MOD_CAPS__MAX_CQ_PERIOD = 370;
        public static final int BYTES = 400;

        private IbvDeviceAttrEx() {}
    }

    public static final class IbvPortAttr {
        public static final int STATE = 0;
        public static final int MAX_MTU = 4;
        public static final int ACTIVE_MTU = 8;
        public static final int GID_TBL_LEN = 12;
        public static final int PORT_CAP_FLAGS = 16;
        public static final int MAX_MSG_SZ = 20;
        public static final int BAD_PKEY_CNTR = 24;
        public static final int QKEY_VIOL_CNTR = 28;
        public static final int PKEY_TBL_LEN = 32;
        public static final int LID = 34;
        public static final int SM_LID = 36;
        public static final int LMC = 38;
        public static final int MAX_VL_NUM = 39;
        public static final int SM_SL = 40;
        public static final int SUBNET_TIMEOUT = 41;
        public static final int INIT_TYPE_REPLY = 42;
        public static final int ACTIVE_WIDTH = 43;
        public static final int ACTIVE_SPEED = 44;
        public static final int PHYS_STATE = 45;
        public static final int LINK_LAYER = 46;
        public static final int FLAGS = 47;

        /** Its last field in rdma-core 44; libibverbs gets the size of the structure. */
        public static final int PORT_CAP_FLAGS2 = 48;

        private IbvPortAttr() {}
    }

    public static final class IbvGidEntry {
        public static final int GID = 0;
        public static final int GID_INDEX = 16;
        public static final int PORT_NUM = 20;
        public static final int GID_TYPE = 24;
        public static final int NDEV_IFINDEX = 28;
        public static final int BYTES = 32;

        private IbvGidEntry() {}
    }

    public static final class IbvMr {
        public static final int PD = 8;
        public static final int LKEY = 36;
        public static final int RKEY = 40;

        private IbvMr() {}
    }

    public static final class IbvMw {
        public static final int RKEY = 16;
        public static final int BYTES = 32;

        private IbvMw() {}
    }

    public static final class IbvMwBind {
        public static final int WR_ID = 0;
        public static final int SEND_FLAGS = 8;
        public static final int BIND_INFO__MR = 16;
        public static final int BIND_INFO__ADDR = 24;
        public static final int BIND_INFO__LENGTH = 32;
        public static final int BIND_INFO__MW_ACCESS_FLAGS = 40;
        public static final int BYTES = 48;

        private IbvMwBind() {}
    }

    public static final class IbvCompChannel {
        public static final int FD = 8;
        public static final int REFCNT = 12;

        private IbvCompChannel() {}
    }

    public static final class IbvCq {
        public static final int CHANNEL = 8;
        public static final int CQ_CONTEXT = 16;
        public static final int CQE = 28;

        private IbvCq() {}
    }

    /** Begins like an {@code ibv_cq}. */
    public static final class IbvCqEx {
        @AfterMutex public static final int STATUS = 132;
        @AfterMutex public static final int WR_ID = 136;
        @AfterMutex public static final int START_POLL = 144;
        @AfterMutex public static final int END_POLL = 160;
        @AfterMutex public static final int READ_OPCODE = 168;
        @AfterMutex public static final int READ_VENDOR_ERR = 176;
        @AfterMutex public static final int READ_BYTE_LEN = 184;
        @AfterMutex public static final int READ_IMM_DATA = 192;
        @AfterMutex public static final int READ_QP_NUM = 200;
        @AfterMutex public static final int READ_SRC_QP = 208;
        @AfterMutex public static final int READ_WC_FLAGS = 216;
        @AfterMutex public static final int READ_SLID = 224;
        @AfterMutex public static final int READ_SL = 232;
        @AfterMutex public static final int READ_DLID_PATH_BITS = 240;
        @AfterMutex public static final int READ_COMPLETION_TS = 248;
        @AfterMutex public static final int READ_CVLAN = 256;
        @AfterMutex public static final int READ_FLOW_TAG = 264;
        @AfterMutex public static final int READ_COMPLETION_WALLCLOCK_NS = 280;

        private IbvCqEx() {}
    }

    public static final class IbvCqInitAttrEx {
        public static final int CQE = 0;
        public static final int CQ_CONTEXT = 8;
        public static final int CHANNEL = 16;
        public static final int COMP_VECTOR = 24;
        public static final int WC_FLAGS = 32;
        public static final int BYTES = 56;

        private IbvCqInitAttrEx() {}
    }

    public static final class IbvPollCqAttr {
        public static final int BYTES = 4;

        private IbvPollCqAttr() {}
    }

    public static final class IbvValuesEx {
        public static final int COMP_MASK = 0;
        public static final int RAW_CLOCK__TV_SEC = 8;
        public static final int RAW_CLOCK__TV_NSEC = 16;
        public static final int BYTES = 24;

        private IbvValuesEx() {}
    }

    public static final class IbvModifyCqAttr {
        public static final int ATTR_MASK = 0;
        public static final int MODERATE__CQ_COUNT = 4;
        public static final int MODERATE__CQ_PERIOD = 6;
        public static final int BYTES = 8;

        private IbvModifyCqAttr() {}
    }

    public static final class IbvQp {
        public static final int QP_CONTEXT = 8;
        public static final int QP_NUM = 52;
        public static final int STATE = 56;

        private IbvQp() {}
    }

    public static final class IbvSrq {
        public static final int SRQ_CONTEXT = 8;

        private IbvSrq() {}
    }

    public static final class IbvSrqAttr {
        public static final int MAX_WR = 0;
        public static final int MAX_SGE = 4;
        public static final int SRQ_LIMIT = 8;
        public static final int BYTES = 12;

        private IbvSrqAttr() {}
    }

    public static final class IbvSrqInitAttr {
        public static final int SRQ_CONTEXT = 0;
        public static final int ATTR__MAX_WR = 8;
        public static final int ATTR__MAX_SGE = 12;
        public static final int BYTES = 24;

        private IbvSrqInitAttr() {}
    }

    public static final class IbvAsyncEvent {
        public static final int ELEMENT = 0;
        public static final int EVENT_TYPE = 8;
        public static final int BYTES = 16;

        private IbvAsyncEvent() {}
    }

    public static final class IbvQpInitAttr {
        public static final int QP_CONTEXT = 0;
        public static final int SEND_CQ = 8;
        public static final int RECV_CQ = 16;
        public static final int SRQ = 24;
        public static final int CAP__MAX_SEND_WR = 32;
        public static final int CAP__MAX_RECV_WR = 36;
        public static final int CAP__MAX_SEND_SGE = 40;
        public static final int CAP__MAX_RECV_SGE = 44;
        public static final int CAP__MAX_INLINE_DATA = 48;
        public static final int QP_TYPE = 52;
        public static final int SQ_SIG_ALL = 56;
        public static final int BYTES = 64;

        private IbvQpInitAttr() {}
    }

    public static final class IbvQpAttr {
        public static final int QP_STATE = 0;
        public static final int CUR_QP_STATE = 4;
        public static final int PATH_MTU = 8;
        public static final int QKEY = 16;
        public static final int RQ_PSN = 20;
        public static final int SQ_PSN = 24;
        public static final int DEST_QP_NUM = 28;
        public static final int QP_ACCESS_FLAGS = 32;
        public static final int AH_ATTR = 56;
        public static final int PKEY_INDEX = 120;
        public static final int EN_SQD_ASYNC_NOTIFY = 124;
        public static final int SQ_DRAINING = 125;
        public static final int MAX_RD_ATOMIC = 126;
        public static final int MAX_DEST_RD_ATOMIC = 127;
        public static final int MIN_RNR_TIMER = 128;
        public static final int PORT_NUM = 129;
        public static final int TIMEOUT = 130;
        public static final int RETRY_CNT = 131;
        public static final int RNR_RETRY = 132;
        public static final int BYTES = 144;

        private IbvQpAttr() {}
    }

    public static final class IbvAhAttr {
        public static final int GRH__DGID = 0;
        public static final int GRH__FLOW_LABEL = 16;
        public static final int GRH__SGID_INDEX = 20;
        public static final int GRH__HOP_LIMIT = 21;
        public static final int GRH__TRAFFIC_CLASS = 22;
        public static final int DLID = 24;
        public static final int SL = 26;
        public static final int SRC_PATH_BITS = 27;
        public static final int STATIC_RATE = 28;
        public static final int IS_GLOBAL = 29;
        public static final int PORT_NUM = 30;
        public static final int BYTES = 32;

        private IbvAhAttr() {}
    }

    /**
     * By how much a {@code pthread_mutex_t} may exceed 40 bytes: not at all, or on AArch64 by 8,
     * where glibc's has 48 bytes and musl's 40.
     */
    static int[] mutexExcesses(String arch) {
        return arch.equals("aarch64") ? new int[] {8, 0} : new int[] {0};
    }

    /**
     * By how much a {@code pthread_mutex_t} exceeds 40 bytes here. The mark of an extended device's
     * context shows it: {@code abi_compat}, behind a mutex, has all bits set.
     *
     * @return -1 if there is no mark: the context is not extended
     */
    public static int mutexExcess(long context) {
        return mutexExcess(context, MUTEX_EXCESSES);
    }

    static int mutexExcess(long context, int[] excesses) {
        for (int excess : excesses) {
            long mark = context + IbvContext.ABI_COMPAT + excess;
            if (Struct.at(mark, Long.BYTES).i64(0) == ~0L) {
                return excess;
            }
        }
        return -1;
    }
}
