package io.loomverbs.cm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.device.Errno;

/** The usual causes of failures, for messages. */
final class CmCauses {
    private static final int EADDRINUSE = 98;
    private static final int EADDRNOTAVAIL = 99;

    private CmCauses() {}

    /** A half-sentence about a refused call, or nothing if there is no usual cause. */
    static String of(String call, int errno) {
        return usually(
                switch (errno) {
                    case EADDRINUSE -> "another program listens on that port, or has just done so";
                    case EADDRNOTAVAIL ->
                            "the address is not one of this host's; or it stands for all, and"
                                    + " another program listens on that port at one of them";
                    case Errno.ENETUNREACH, Errno.EHOSTUNREACH ->
                            "there is no route to the address: see ip route get";
                    case Errno.ENODEV ->
                            "no RDMA device has that address; 127.0.0.1 is no device's: use the"
                                    + " address of the device's own interface";
                    case Errno.ETIMEDOUT -> "the host did not answer: see ip neigh";
                    case Errno.ENOMEM, Errno.EMFILE, Errno.ENFILE ->
                            "too many open files, or too little memory: see ulimit -n";
                    case Errno.EACCES, Errno.EPERM ->
                            "no permission to read and write /dev/infiniband/rdma_cm, or the"
                                    + " process has changed its user since";
                    case Errno.EINVAL -> invalid(call);
                    default -> "";
                });
    }

    private static String invalid(String call) {
        return switch (call) {
            case "rdma_accept" ->
                    "the peer has gone meanwhile, or its timeout has passed; or more responder"
                            + " resources or initiator depth than the device has";
            case "rdma_init_qp_attr" -> "the peer has gone meanwhile, or its timeout has passed";
            case "rdma_establish" -> "the peer has gone meanwhile";
            case "rdma_connect" ->
                    "more responder resources or initiator depth than the device has";
            default -> "";
        };
    }

    /** A half-sentence about an event. */
    static String ofEvent(int event, int errno) {
        String cause = of("", errno);
        if (!cause.isEmpty()) {
            return cause;
        }
        return usually(
                switch (event) {
                    case Cm.EVENT_UNREACHABLE -> "the host is down, or has no RDMA device there";
                    case Cm.EVENT_ADDR_ERROR, Cm.EVENT_ROUTE_ERROR ->
                            "there is no route to the address, or its interface has no RDMA device";
                    case Cm.EVENT_DEVICE_REMOVAL -> "the device was removed";
                    default -> "";
                });
    }

    private static String usually(String cause) {
        return cause.isEmpty() ? "" : "; usually: " + cause;
    }
}
