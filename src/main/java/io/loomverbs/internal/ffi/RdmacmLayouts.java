package io.loomverbs.internal.ffi;

/**
 * The offsets of the fields of librdmacm's structures, and of socket addresses, in bytes; as {@link
 * IbvLayouts}. They hold for every 64-bit Linux.
 */
public final class RdmacmLayouts {
    private RdmacmLayouts() {}

    public static final class RdmaEventChannel {
        public static final int FD = 0;
        public static final int BYTES = 4;

        private RdmaEventChannel() {}
    }

    public static final class RdmaCmId {
        public static final int VERBS = 0;
        public static final int CONTEXT = 16;
        public static final int ROUTE__ADDR__SRC_ADDR = 32;
        public static final int ROUTE__ADDR__DST_ADDR = 160;
        public static final int PS = 344;
        public static final int PORT_NUM = 348;
        public static final int BYTES = 416;

        private RdmaCmId() {}
    }

    public static final class RdmaCmEvent {
        public static final int ID = 0;
        public static final int LISTEN_ID = 8;
        public static final int EVENT = 16;
        public static final int STATUS = 20;
        public static final int PARAM__CONN__PRIVATE_DATA = 24;
        public static final int PARAM__CONN__PRIVATE_DATA_LEN = 32;
        public static final int PARAM__CONN__RESPONDER_RESOURCES = 33;
        public static final int PARAM__CONN__INITIATOR_DEPTH = 34;
        public static final int PARAM__CONN__SRQ = 38;
        public static final int PARAM__CONN__QP_NUM = 40;
        public static final int PARAM__UD__PRIVATE_DATA = 24;
        public static final int PARAM__UD__PRIVATE_DATA_LEN = 32;
        public static final int PARAM__UD__AH_ATTR = 40;
        public static final int PARAM__UD__QP_NUM = 72;
        public static final int PARAM__UD__QKEY = 76;
        public static final int BYTES = 80;

        private RdmaCmEvent() {}
    }

    public static final class RdmaConnParam {
        public static final int PRIVATE_DATA = 0;
        public static final int PRIVATE_DATA_LEN = 8;
        public static final int RESPONDER_RESOURCES = 9;
        public static final int INITIATOR_DEPTH = 10;
        public static final int RETRY_COUNT = 12;
        public static final int RNR_RETRY_COUNT = 13;
        public static final int SRQ = 14;
        public static final int QP_NUM = 16;
        public static final int BYTES = 24;

        private RdmaConnParam() {}
    }

    public static final class SockaddrIn {
        public static final int SIN_FAMILY = 0;
        public static final int SIN_PORT = 2;
        public static final int SIN_ADDR = 4;
        public static final int SIN_ADDR_BYTES = 4;
        public static final int BYTES = 16;

        private SockaddrIn() {}
    }

    public static final class SockaddrIn6 {
        public static final int SIN6_FAMILY = 0;
        public static final int SIN6_PORT = 2;
        public static final int SIN6_ADDR = 8;
        public static final int SIN6_ADDR_BYTES = 16;
        public static final int SIN6_SCOPE_ID = 24;
        public static final int BYTES = 28;

        private SockaddrIn6() {}
    }
}
