package io.loomverbs;

import io.loomverbs.internal.device.SrqAttr;

/**
 * The attributes of a shared receive queue ({@code struct ibv_srq_attr}).
 *
 * @param maxWr how many receive requests it holds
 * @param maxSge how many scatter entries a request has; 0 for messages without data
 * @param srqLimit the number of posted requests below which {@link
 *     AsyncEventType#SRQ_LIMIT_REACHED} is raised; 0 if the event is not armed
 * @since 0.1.0
 */
public record SrqAttributes(int maxWr, int maxSge, int srqLimit) {
    /**
     * Checks everything that does not depend on a device; creating the queue checks the device's
     * limits.
     *
     * @throws IllegalArgumentException if {@code maxWr} is less than 1, or another value negative
     */
    public SrqAttributes {
        Arguments.inRange("maxWr", maxWr, 1, Integer.MAX_VALUE, "the size of a queue");
        Arguments.inRange("maxSge", maxSge, 0, Integer.MAX_VALUE, "the entries of a request");
        Arguments.inRange("srqLimit", srqLimit, 0, Integer.MAX_VALUE, "0 if it is not armed");
    }

    /**
     * Attributes of a queue for requests of one scatter entry, whose limit is not armed.
     *
     * @param maxWr how many receive requests it holds
     * @return the attributes
     * @throws IllegalArgumentException if {@code maxWr} is less than 1
     */
    public static SrqAttributes of(int maxWr) {
        return new SrqAttributes(maxWr, 1, 0);
    }

    static SrqAttributes of(SrqAttr attr) {
        return new SrqAttributes(attr.maxWr(), attr.maxSge(), attr.srqLimit());
    }

    SrqAttr attr() {
        return new SrqAttr(maxWr, maxSge, srqLimit);
    }

    void check(Context context) {
        DeviceAttributes limits = context.attributes();
        String of = " of " + context;
        Arguments.inRange("maxWr", maxWr, 1, limits.maxSrqWr(), "max_srq_wr" + of);
        Arguments.inRange("maxSge", maxSge, 0, limits.maxSrqSge(), "max_srq_sge" + of);
        if (srqLimit != 0) {
            throw new IllegalArgumentException(
                    "srqLimit is "
                            + srqLimit
                            + ", but a new queue is empty: arm its limit once requests are posted");
        }
    }
}
