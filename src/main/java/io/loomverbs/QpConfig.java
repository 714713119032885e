package io.loomverbs;

import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;

import org.jspecify.annotations.Nullable;

/**
 * The configuration of a new queue pair ({@code struct ibv_qp_init_attr}). Start with {@link #of};
 * each {@code with} method gives a changed copy.
 *
 * @param type the transport service
 * @param sendCq where completions of the send queue go
 * @param recvCq where completions of the receive queue go; may be the same
 * @param maxSendWr how many work requests the send queue holds; unsignaled ones stay in it until
 *     the completion of a later one was polled ({@link SendWorkRequest#signaled}); 0 for a queue
 *     pair that only receives
 * @param maxRecvWr how many work requests the receive queue holds; 0 for a queue pair that only
 *     sends
 * @param maxSendSge how many scatter/gather entries a request of the send queue has; 0 for requests
 *     without data, or with inline data
 * @param maxRecvSge how many scatter entries a request of the receive queue has; 0 for messages
 *     without data
 * @param maxInlineData how many bytes a request of the send queue may carry inline
 * @param sqSigAll whether every request of the send queue has a completion, signaled or not
 * @param srq the shared receive queue from which the queue pair takes its receive requests; null if
 *     it has a receive queue of its own. With one, {@code maxRecvWr} and {@code maxRecvSge} are
 *     ignored
 * @param qpContext an object of the program's, which {@link QueuePair#qpContext} returns; may be
 *     null
 * @since 0.1.0
 */
public record QpConfig(
        QpType type,
        CompletionQueue sendCq,
        CompletionQueue recvCq,
        int maxSendWr,
        int maxRecvWr,
        int maxSendSge,
        int maxRecvSge,
        int maxInlineData,
        boolean sqSigAll,
        @Nullable SharedReceiveQueue srq,
        @Nullable Object qpContext) {
    private static final int DEFAULT_WR = 16;

    /**
     * Checks everything that does not depend on a device; creating the queue pair checks the
     * device's limits.
     *
     * @throws IllegalArgumentException if a capacity is less than it must be
     */
    public QpConfig {
        Arguments.notNull(type, "type");
        Arguments.notNull(sendCq, "sendCq");
        Arguments.notNull(recvCq, "recvCq");
        atLeast("maxSendWr", maxSendWr, 0);
        atLeast("maxRecvWr", maxRecvWr, 0);
        atLeast("maxSendSge", maxSendSge, 0);
        atLeast("maxRecvSge", maxRecvSge, 0);
        atLeast("maxInlineData", maxInlineData, 0);
    }

    private static void atLeast(String name, int value, int min) {
        if (value < min) {
            throw new IllegalArgumentException(
                    name + " is " + value + ", but must be at least " + min);
        }
    }

    /**
     * A queue pair with one CQ for both queues, 16 work requests each, one scatter/gather entry, no
     * inline data, and completions only for signaled requests.
     *
     * @param type the transport service
     * @param cq where all completions go
     * @return the configuration
     */
    public static QpConfig of(QpType type, CompletionQueue cq) {
        Arguments.notNull(type, "type");
        Arguments.notNull(cq, "cq");
        return of(type, cq, cq);
    }

    /**
     * Like {@link #of(QpType, CompletionQueue)}, with a CQ for each queue.
     *
     * @param type the transport service
     * @param sendCq where completions of the send queue go
     * @param recvCq where completions of the receive queue go
     * @return the configuration
     */
    public static QpConfig of(QpType type, CompletionQueue sendCq, CompletionQueue recvCq) {
        return new QpConfig(
                type, sendCq, recvCq, DEFAULT_WR, DEFAULT_WR, 1, 1, 0, false, null, null);
    }

    /**
     * Changes how many work requests the queues hold.
     *
     * @param maxSend for the send queue
     * @param maxRecv for the receive queue
     * @return a changed copy
     */
    public QpConfig withWr(int maxSend, int maxRecv) {
        Copy copy = new Copy(this);
        copy.maxSendWr = maxSend;
        copy.maxRecvWr = maxRecv;
        return copy.config();
    }

    /**
     * Changes how many scatter/gather entries a request has.
     *
     * @param maxSend for the send queue
     * @param maxRecv for the receive queue
     * @return a changed copy
     */
    public QpConfig withSge(int maxSend, int maxRecv) {
        Copy copy = new Copy(this);
        copy.maxSendSge = maxSend;
        copy.maxRecvSge = maxRecv;
        return copy.config();
    }

    /**
     * Changes how many bytes a request may carry inline.
     *
     * @param bytes the most
     * @return a changed copy
     */
    public QpConfig withInlineData(int bytes) {
        Copy copy = new Copy(this);
        copy.maxInlineData = bytes;
        return copy.config();
    }

    /**
     * Changes whether every request of the send queue has a completion.
     *
     * @param all true for every one, false for signaled ones only
     * @return a changed copy
     */
    public QpConfig withSqSigAll(boolean all) {
        Copy copy = new Copy(this);
        copy.sqSigAll = all;
        return copy.config();
    }

    /**
     * Changes where the queue pair takes receive requests from. {@code ibv_create_qp(3)} has it for
     * RC and UD only: {@code soft0}, {@code strict0} and soft-RoCE take a shared queue for UC, too,
     * and other devices may refuse it.
     *
     * @param shared a shared receive queue, whose capacities count instead of {@code maxRecvWr} and
     *     {@code maxRecvSge}; null for a queue of its own
     * @return a changed copy
     */
    public QpConfig withSrq(@Nullable SharedReceiveQueue shared) {
        Copy copy = new Copy(this);
        copy.srq = shared;
        return copy.config();
    }

    /**
     * Changes what {@link QueuePair#qpContext} returns, such as the program's own object of a
     * connection. With {@link WorkCompletions#qp} a handler of many queue pairs finds it.
     *
     * @param object any object, or null
     * @return a changed copy
     */
    public QpConfig withQpContext(@Nullable Object object) {
        Copy copy = new Copy(this);
        copy.qpContext = object;
        return copy.config();
    }

    /** The configuration as the device granted it. */
    QpConfig granted(QpCap cap) {
        Copy copy = new Copy(this);
        copy.maxSendWr = cap.maxSendWr();
        copy.maxRecvWr = srq == null ? cap.maxRecvWr() : 0;
        copy.maxSendSge = cap.maxSendSge();
        copy.maxRecvSge = srq == null ? cap.maxRecvSge() : 0;
        copy.maxInlineData = cap.maxInlineData();
        return copy.config();
    }

    /** The components that can be changed; the rest is as it was. */
    private static final class Copy {
        private final QpConfig of;
        private int maxSendWr;
        private int maxRecvWr;
        private int maxSendSge;
        private int maxRecvSge;
        private int maxInlineData;
        private boolean sqSigAll;
        private @Nullable SharedReceiveQueue srq;
        private @Nullable Object qpContext;

        Copy(QpConfig of) {
            this.of = of;
            this.maxSendWr = of.maxSendWr;
            this.maxRecvWr = of.maxRecvWr;
            this.maxSendSge = of.maxSendSge;
            this.maxRecvSge = of.maxRecvSge;
            this.maxInlineData = of.maxInlineData;
            this.sqSigAll = of.sqSigAll;
            this.srq = of.srq;
            this.qpContext = of.qpContext;
        }

        QpConfig config() {
            return new QpConfig(
                    of.type,
                    of.sendCq,
                    of.recvCq,
                    maxSendWr,
                    maxRecvWr,
                    maxSendSge,
                    maxRecvSge,
                    maxInlineData,
                    sqSigAll,
                    srq,
                    qpContext);
        }
    }

    void check(Context context) {
        Arguments.sameContext("sendCq", sendCq, sendCq.context(), context, "the protection domain");
        Arguments.sameContext("recvCq", recvCq, recvCq.context(), context, "the protection domain");
        if (srq != null) {
            Arguments.sameContext("srq", srq, srq.pd().context(), context, "the protection domain");
        }
        DeviceAttributes limits = context.attributes();
        String of = " of " + context;
        Arguments.inRange("maxSendWr", maxSendWr, 0, limits.maxQpWr(), "max_qp_wr" + of);
        Arguments.inRange("maxSendSge", maxSendSge, 0, limits.maxSge(), "max_sge" + of);
        if (srq == null) {
            Arguments.inRange("maxRecvWr", maxRecvWr, 0, limits.maxQpWr(), "max_qp_wr" + of);
            Arguments.inRange("maxRecvSge", maxRecvSge, 0, limits.maxSge(), "max_sge" + of);
        }
        Arguments.inRange(
                "maxInlineData", maxInlineData, 0, limits.maxInlineData(), "inline data" + of);
    }

    QpInit init() {
        int recvWr = srq == null ? maxRecvWr : 0;
        int recvSge = srq == null ? maxRecvSge : 0;
        QpCap cap = new QpCap(maxSendWr, recvWr, maxSendSge, recvSge, maxInlineData);
        return new QpInit(type.value(), cap, sqSigAll);
    }
}
