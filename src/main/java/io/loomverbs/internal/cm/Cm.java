package io.loomverbs.internal.cm;

/** The numbers of {@code rdma_cma.h}, and the reasons of a rejection. */
public final class Cm {
    public static final int EVENT_ADDR_RESOLVED = 0;
    public static final int EVENT_ADDR_ERROR = 1;
    public static final int EVENT_ROUTE_RESOLVED = 2;
    public static final int EVENT_ROUTE_ERROR = 3;
    public static final int EVENT_CONNECT_REQUEST = 4;
    public static final int EVENT_CONNECT_RESPONSE = 5;
    public static final int EVENT_CONNECT_ERROR = 6;
    public static final int EVENT_UNREACHABLE = 7;
    public static final int EVENT_REJECTED = 8;
    public static final int EVENT_ESTABLISHED = 9;
    public static final int EVENT_DISCONNECTED = 10;
    public static final int EVENT_DEVICE_REMOVAL = 11;
    public static final int EVENT_MULTICAST_JOIN = 12;
    public static final int EVENT_MULTICAST_ERROR = 13;
    public static final int EVENT_ADDR_CHANGE = 14;
    public static final int EVENT_TIMEWAIT_EXIT = 15;

    /** Not of librdmacm: its event channel has failed, with the status as the cause. */
    public static final int CHANNEL_FAILED = -1;

    /**
     * Not of librdmacm: it had an event for which there was no memory, with {@code ENOMEM} as the
     * status. It ends the wait for that event, and nothing else.
     */
    public static final int LOST_EVENT = -2;

    public static final int PS_TCP = 0x106;
    public static final int PS_UDP = 0x111;

    /** The qkey of datagrams if no program asks for another: {@code RDMA_UDP_QKEY}. */
    public static final int UDP_QKEY = 0x0123_4567;

    /** As responder resources or initiator depth: what the device can do. */
    public static final int MAX_RESP_RES = 255;

    /** The most private data of a request, a reply and a rejection, on InfiniBand and RoCE. */
    public static final int CONNECT_PRIVATE_DATA = 56;

    public static final int ACCEPT_PRIVATE_DATA = 196;
    public static final int REJECT_PRIVATE_DATA = 148;

    /** The same of datagrams: of a request, and of an answer or a rejection. */
    public static final int CONNECT_UD_PRIVATE_DATA = 180;

    public static final int ACCEPT_UD_PRIVATE_DATA = 136;

    /** The status of a request for datagrams that nothing listens for, or that is rejected. */
    public static final int SIDR_UNSUPPORTED = 1;

    public static final int SIDR_REJECT = 2;

    /** Nothing listens on the port. */
    public static final int REJ_INVALID_SERVICE_ID = 8;

    /** The peer has called {@code rdma_reject}, or has destroyed the id. */
    public static final int REJ_CONSUMER_DEFINED = 28;

    private static final String[] EVENTS = {
        "ADDR_RESOLVED",
        "ADDR_ERROR",
        "ROUTE_RESOLVED",
        "ROUTE_ERROR",
        "CONNECT_REQUEST",
        "CONNECT_RESPONSE",
        "CONNECT_ERROR",
        "UNREACHABLE",
        "REJECTED",
        "ESTABLISHED",
        "DISCONNECTED",
        "DEVICE_REMOVAL",
        "MULTICAST_JOIN",
        "MULTICAST_ERROR",
        "ADDR_CHANGE",
        "TIMEWAIT_EXIT"
    };

    private Cm() {}

    /** The name of an event, such as {@code RDMA_CM_EVENT_REJECTED}. */
    public static String event(int type) {
        return type >= 0 && type < EVENTS.length
                ? "RDMA_CM_EVENT_" + EVENTS[type]
                : switch (type) {
                    case CHANNEL_FAILED -> "rdma_get_cm_event";
                    case LOST_EVENT -> "an event for which there was no memory";
                    default -> "rdma_cm event " + type;
                };
    }

    /** What the status of a refused request for datagrams means. */
    public static String sidrStatus(int status) {
        return switch (status) {
            case SIDR_UNSUPPORTED -> "nothing listens on that port";
            case SIDR_REJECT -> "the peer's program has rejected it";
            case 3 -> "the peer has no queue pair for it";
            default -> "status " + status;
        };
    }

    /** What a reason of {@code REJECTED} means. */
    public static String reason(int status) {
        return switch (status) {
            case 1 -> "the peer has no queue pair left";
            case 3 -> "the peer has no resources left";
            case 4 -> "the peer gave up: its timeout has passed";
            case 5 -> "the peer does not support the request";
            case 6 -> "the connection is not known to the peer";
            case REJ_INVALID_SERVICE_ID -> "nothing listens on that port";
            case 9 -> "the transport service differs";
            case 10 ->
                    "stale connection: the peer still has a connection of the same queue pair"
                            + " number; try again in some seconds";
            case 12 -> "the GID is not one of the peer's";
            case 26 -> "the path MTU is more than the peer can do";
            case 27 -> "the peer has fewer responder resources";
            case REJ_CONSUMER_DEFINED -> "the peer's program has rejected it";
            case 29 -> "the RNR retry count differs";
            case 30 -> "duplicate connection id";
            case 35 -> "the vendor's options differ";
            default -> "reason " + status;
        };
    }
}
