package io.loomverbs.internal.device;

/** The usual causes of refused verbs, for messages. */
public final class UsualCauses {
    private static final String LIMITS =
            "the device has no more of them, or the limit of locked memory is reached: see"
                    + " ulimit -l (RLIMIT_MEMLOCK)";
    private static final String ROUTE =
            "the address cannot be reached from that port and GID: check the route and the"
                    + " neighbor (ip neigh)";
    private static final String OPEN_FILES = "too many open files: see ulimit -n";

    private UsualCauses() {}

    /** A half-sentence to append to a message, or nothing if there is no usual cause. */
    public static String of(String verb, int errno) {
        String cause = find(verb, errno);
        return cause.isEmpty() ? "" : "; usually: " + cause;
    }

    private static String find(String verb, int errno) {
        return switch (errno) {
            case Errno.EIO ->
                    verb.equals("ibv_poll_cq")
                            ? "the CQ has overrun: it received more completions than it holds"
                                    + " before they were polled; or the device was removed"
                            : "the device was removed, or its driver has failed";
            case Errno.EMFILE, Errno.ENFILE -> OPEN_FILES;
            case Errno.EBUSY ->
                    verb.equals("ibv_destroy_qp")
                            ? "it is attached to a multicast group: detachMcast first"
                            : "something still uses it";
            case Errno.EACCES, Errno.EPERM -> denied(verb);
            case Errno.ENOENT, Errno.ENODEV ->
                    verb.equals("ibv_open_device")
                            ? "the device is gone, or its file in /dev/infiniband was not given to"
                                    + " this container"
                            : "";
            case Errno.ENODATA -> "the port has no GID at that sgid_index: see context.gid";
            case Errno.ETIMEDOUT, Errno.ENETUNREACH, Errno.EHOSTUNREACH -> ROUTE;
            case Errno.ENOMEM -> verb.startsWith("ibv_post_") ? "the queue is full" : LIMITS;
            case Errno.EFAULT ->
                    verb.equals("ibv_reg_mr") || verb.equals("ibv_rereg_mr")
                            ? "a part of the memory is not mapped, or may not be written to"
                            : "";
            case Errno.EOPNOTSUPP, Errno.ENOSYS -> "the driver does not offer it";
            case Errno.EINVAL -> invalid(verb);
            default -> "";
        };
    }

    private static String denied(String verb) {
        return switch (verb) {
            case "ibv_open_device" ->
                    "no permission to read and write the device's file in /dev/infiniband: be in"
                            + " the group that owns it, or give it to the container";
            case "ibv_advise_mr" -> "the region was registered without LOCAL_WRITE";
            default -> "the process lacks a privilege";
        };
    }

    private static String invalid(String verb) {
        return switch (verb) {
            case "ibv_modify_qp" ->
                    "this type of queue pair does not allow that transition, or needs other"
                            + " attributes for it: see the tables of ibv_modify_qp(3); or an"
                            + " attribute is beyond the device's limits";
            case "ibv_create_qp" ->
                    "the device cannot combine these capacities: fewer work requests, entries or"
                            + " less inline data";
            case "ibv_create_srq" -> "more work requests or entries than the device supports";
            case "ibv_modify_srq" ->
                    "it holds more work requests than that, or its limit is beyond them";
            case "ibv_create_cq" -> "more completions, or another vector, than the device has";
            case "ibv_resize_cq" -> "the CQ holds more completions than that, or has overrun";
            case "ibv_create_ah" -> "the port or the index of the source GID does not exist";
            case "ibv_reg_mr", "ibv_rereg_mr" -> "an access that the device does not offer";
            case "ibv_advise_mr" -> "the region was registered without ON_DEMAND";
            case "ibv_reg_dmabuf_mr" ->
                    "fd is not a dma-buf or shorter than offset and length, or iova and offset"
                            + " differ within a page";
            case "ibv_req_notify_cq" -> "the CQ has no channel";
            default -> "";
        };
    }
}
