package io.loomverbs.testkit;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.QueuePair;
import io.loomverbs.WcStatus;
import io.loomverbs.internal.device.ApiObjects;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.FaultOps;
import io.loomverbs.internal.device.LoadedClasses;
import io.loomverbs.internal.device.QpOps;

/**
 * Faults of an open embedded device ({@code soft0}, {@code strict0}), for tests: failures that a
 * network, a peer or a device causes sooner or later, on request.
 *
 * <p>Faults affect the objects of one context, as if each context were a separate machine; so tests
 * that run at the same time, each with its own context, do not disturb one another. After a fault
 * everything continues as on a real device: the queue pair goes to ERR (SQE if it is unreliable)
 * and flushes what is left, retries count down, events are raised, and a peer sees the usual
 * consequences.
 *
 * <p>Random decisions follow from the seed, the queue pair (its place in the order in which those
 * of the context were created), the request's place in its send queue, and the number of the
 * attempt. They do not depend on time or threads: the same requests on a new context with the same
 * seed have the same outcome. Without {@link #seed(long)} the seed is random; {@link #toString}
 * contains it, for the message of a test that fails.
 *
 * <p>Safe for use by any number of threads, also while requests are under way: a change counts for
 * requests that are posted (delays) or tried (all others) after the call returns.
 *
 * @since 0.1.0
 */
public final class Faults {
    static {
        LoadedClasses.besides(Faults.class);
    }

    private final Context context;

    private Faults(Context context) {
        this.context = context;
    }

    /**
     * The faults of a context. There are none at first; calls for the same context share them.
     *
     * @param context an open one, of an embedded device
     * @return its faults
     * @throws UnsupportedOperationException if the device does not support faults
     * @throws ClosedException if the context is closed
     */
    public static Faults of(Context context) {
        Faults faults = new Faults(notNull(context, "context"));
        faults.ops();
        return faults;
    }

    /**
     * The context that has the faults.
     *
     * @return the context
     */
    public Context context() {
        return context;
    }

    /**
     * The seed of random decisions.
     *
     * @return the seed that was set last, else a random number
     * @throws ClosedException if the context is closed
     */
    public long seed() {
        return ops().seed();
    }

    /**
     * Sets the seed of random decisions.
     *
     * @param seed any number
     * @return this
     * @throws ClosedException if the context is closed
     */
    public Faults seed(long seed) {
        ops().seed(seed);
        return this;
    }

    /**
     * Makes a send request of the context fail: the {@code nth} of those that its queue pairs begin
     * from now on; retries do not count. It is not carried out. Can be called for any number of
     * requests.
     *
     * <p>The queue pair does not retry or wait before it gives this status; for failures that take
     * their time, see {@link #drop} and {@link #rnr}. With {@code REM_INV_REQ_ERR}, {@code
     * REM_ACCESS_ERR} and {@code REM_OP_ERR}, which a peer gives as it fails itself, a connected
     * peer goes to ERR, too.
     *
     * @param nth 1 is the next
     * @param status how it ends
     * @return this
     * @throws IllegalArgumentException if {@code nth} is less than 1, or {@code status} is none
     *     with which a request can fail
     * @throws ClosedException if the context is closed
     */
    public Faults failSend(long nth, WcStatus status) {
        int number = failure(status);
        ops().failSend(null, positive(nth), number);
        return this;
    }

    /**
     * Makes a send request of one queue pair fail, as {@link #failSend(long, WcStatus)} does.
     *
     * @param qp a queue pair of the context, whose requests count
     * @param nth 1 is the next
     * @param status how it ends
     * @return this
     * @throws IllegalArgumentException if {@code qp} is of another context, {@code nth} is less
     *     than 1, or {@code status} is none with which a request can fail
     * @throws ClosedException if the context or the queue pair is closed
     */
    public Faults failSend(QueuePair qp, long nth, WcStatus status) {
        QpOps of = ops(qp);
        int number = failure(status);
        ops().failSend(of, positive(nth), number);
        return this;
    }

    /**
     * Delays send requests, and with them their messages and completions. Requests of a queue pair
     * stay in order and their delays overlap, as on a long line; so a delay costs no throughput if
     * enough requests are posted. The data of a request is read at the end of its delay, so that a
     * test detects a program that reuses its buffer too early. A delay is at least as long as the
     * distribution says, and longer by the delay of the system's timer.
     *
     * @param distribution of the delays of single requests; a request that would overtake another
     *     comes right after that
     * @return this
     * @throws ClosedException if the context is closed
     */
    public Faults delay(Distribution distribution) {
        ops().delay(notNull(distribution, "distribution").quantile());
        return this;
    }

    /**
     * Loses messages and requests that queue pairs of the context send. A reliable connection sends
     * again after its {@code timeout}, each time with the same probability of loss, until {@code
     * retryCnt} is used up: {@code RETRY_EXC_ERR}. On UC and UD the request succeeds and nothing
     * arrives.
     *
     * @param probability 0 to 1
     * @return this
     * @throws IllegalArgumentException if {@code probability} is not from 0 to 1
     * @throws ClosedException if the context is closed
     */
    public Faults drop(double probability) {
        ops().lose(probability(probability));
        return this;
    }

    /**
     * Makes peers answer that they have no receive posted (RNR NAK) to what reliable connections of
     * the context send and needs one. The queue pair sends again after the peer's {@code
     * minRnrTimer}, each time with the same probability, until {@code rnrRetry} is used up: {@code
     * RNR_RETRY_EXC_ERR}. Has no effect on UC and UD, which have no answers.
     *
     * @param probability 0 to 1
     * @return this
     * @throws IllegalArgumentException if {@code probability} is not from 0 to 1
     * @throws ClosedException if the context is closed
     */
    public Faults rnr(double probability) {
        ops().rnr(probability(probability));
        return this;
    }

    /**
     * Ends failures that have not happened, delays, losses and RNR answers. Requests that are
     * already delayed stay delayed, and the port stays as it is.
     *
     * @return this
     * @throws ClosedException if the context is closed
     */
    public Faults clear() {
        ops().clear();
        return this;
    }

    /**
     * Takes the port down, for this context: {@code PORT_ERR} is raised, {@link Context#port} says
     * DOWN, and nothing is sent or received. Reliable connections at both ends retry, and give
     * {@code RETRY_EXC_ERR} if the port stays down for too long. Does nothing if it is down.
     *
     * @return this
     * @throws ClosedException if the context is closed
     */
    public Faults portDown() {
        ops().port(false);
        return this;
    }

    /**
     * Takes the port up again: {@code PORT_ACTIVE} is raised. Does nothing if it is up.
     *
     * @return this
     * @throws ClosedException if the context is closed
     */
    public Faults portUp() {
        ops().port(true);
        return this;
    }

    /**
     * Takes a queue pair to ERR. Its oldest send request that is not done ends with {@code status},
     * and everything else is flushed. If there is no such request, {@code QP_FATAL} is raised
     * instead. Does nothing to a queue pair in ERR.
     *
     * @param qp a queue pair of the context
     * @param status how its oldest send request ends
     * @return this
     * @throws IllegalArgumentException if {@code qp} is of another context, or {@code status} is
     *     none with which a request can fail
     * @throws IllegalStateException if the queue pair is in RESET
     * @throws ClosedException if the context or the queue pair is closed
     */
    public Faults kill(QueuePair qp, WcStatus status) {
        QpOps killed = ops(qp);
        int rc = ops().kill(killed, failure(status));
        if (rc != 0) {
            if (killed.isDestroyed()) {
                throw new ClosedException(qp);
            }
            throw new IllegalStateException(
                    qp + " is in state RESET, from which it cannot go to ERR: init it first");
        }
        return this;
    }

    /**
     * Makes a CQ overrun, as if it had been full and got one completion more: {@code CQ_ERR} is
     * raised, its queue pairs go to ERR, and once it is empty it fails with {@code EIO}. Does
     * nothing to a CQ that has overrun.
     *
     * @param cq a CQ of the context
     * @return this
     * @throws IllegalArgumentException if {@code cq} is of another context
     * @throws ClosedException if the context or the CQ is closed
     */
    public Faults overrun(CompletionQueue cq) {
        sameContext("cq", cq, notNull(cq, "cq").context());
        CqOps ops = objects().opsOfCq(cq);
        if (ops().overrun(ops) != 0) {
            throw new ClosedException(cq);
        }
        return this;
    }

    /**
     * Removes the device, as if it had been pulled out, for this context: {@code DEVICE_FATAL} is
     * raised. No request completes any more, not even with a flush. What CQs hold can still be
     * polled; then they fail with {@code EIO}, as do threads that wait for their events, and
     * everything that is created, changed or queried. Posts are accepted and have no effect.
     * Objects can be closed as usual. To peers it is a machine that does not answer: neither they
     * nor this side's connections learn that the device is gone, and no {@code
     * RDMA_CM_EVENT_DEVICE_REMOVAL} is raised.
     *
     * @return this
     * @throws ClosedException if the context is closed
     */
    public Faults loseDevice() {
        ops().loseDevice();
        return this;
    }

    private FaultOps ops() {
        FaultOps ops = objects().opsOfContext(context).faults();
        if (ops == null) {
            throw new UnsupportedOperationException(
                    "fault injection is not supported by " + context);
        }
        return ops;
    }

    private QpOps ops(QueuePair qp) {
        sameContext("qp", qp, notNull(qp, "qp").pd().context());
        return objects().opsOfQp(qp);
    }

    private static ApiObjects objects() {
        ApiObjects objects = ApiObjects.get();
        if (objects == null) {
            throw new AssertionError("there is a context, and its class has provided nothing");
        }
        return objects;
    }

    private void sameContext(String name, Object value, Context of) {
        if (of != context) {
            throw new IllegalArgumentException(
                    name + " is " + value + ", which is of another context than these faults");
        }
    }

    private static long positive(long nth) {
        if (nth < 1) {
            throw new IllegalArgumentException("nth is " + nth + ", but must be at least 1");
        }
        return nth;
    }

    @SuppressWarnings("EnumOrdinal") // in the order of enum ibv_wc_status
    private static int failure(WcStatus status) {
        notNull(status, "status");
        if (status == WcStatus.SUCCESS || status == WcStatus.OTHER) {
            throw new IllegalArgumentException(
                    "status is " + status + ", with which no request can fail");
        }
        return status.ordinal();
    }

    static double probability(double probability) {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException(
                    "probability is " + probability + ", but must be from 0 to 1");
        }
        return probability;
    }

    static <T> T notNull(T value, String name) {
        if (value == null) {
            throw new NullPointerException(name + " is null");
        }
        return value;
    }

    /** The context and the seed. */
    @Override
    public String toString() {
        try {
            return "faults of " + context + ", seed " + seed();
        } catch (ClosedException e) {
            return "faults of " + context + ", which is closed";
        }
    }
}
