package io.loomverbs;

import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.device.UsualCauses;
import io.loomverbs.internal.event.Ledger;

import org.jspecify.annotations.Nullable;

/**
 * A shared receive queue: {@code struct ibv_srq}. Any number of queue pairs take their receive
 * requests from it, one for each message, so that the program posts buffers for the messages that
 * arrive, not for each queue pair. Create it with {@link ProtectionDomain#createSrq}, and the queue
 * pairs with {@link QpConfig#withSrq}.
 *
 * <p>Completions of its requests arrive in the receive CQ of the queue pair that got the message.
 * Requests are taken in the order in which they were posted; those of different queue pairs may
 * complete in another order. If the queue is empty, a sender is treated as with an empty receive
 * queue: RC waits and tries again (RNR), other types lose the message.
 *
 * <p>A queue pair that goes to ERR leaves the requests in the queue: it flushes none. Once it takes
 * no more, {@link AsyncEventType#QP_LAST_WQE_REACHED} is raised; poll its CQ after that event,
 * before closing it.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class SharedReceiveQueue implements AutoCloseable {
    private static final String DESTROY = "ibv_destroy_srq";
    private static final String MODIFY = "ibv_modify_srq";
    private static final String POST = "ibv_post_srq_recv";

    private final ProtectionDomain pd;
    private final Ledger ledger = new Ledger();
    private final Lifecycle usage;
    private final int id;

    /** Written once, before the queue is published. */
    @SuppressWarnings("NullAway.Init")
    private SrqOps ops;

    SharedReceiveQueue(ProtectionDomain pd) {
        this.pd = pd;
        this.usage = new Lifecycle(this, pd.usage());
        this.id = pd.context().nextId();
    }

    Ledger ledger() {
        return ledger;
    }

    void created(SrqOps created) {
        this.ops = created;
    }

    AsyncListener listener() {
        return usage.isTracked()
                ? WeakListeners.of(this, SharedReceiveQueue::asyncEvent, pd.context().asyncEvents())
                : this::asyncEvent;
    }

    private void asyncEvent(int type) {
        pd.context().asyncEvents().raise(type, this, ledger);
    }

    /**
     * The protection domain that the queue was created in. The memory of its requests is of this
     * domain.
     *
     * @return the protection domain
     */
    public ProtectionDomain pd() {
        return pd;
    }

    /**
     * Reads the attributes ({@code ibv_query_srq}). {@code maxWr} and {@code maxSge} are what the
     * device granted, at least what was asked for. {@code srqLimit} is 0 if the event is not, or no
     * longer, armed.
     *
     * @return the attributes at this moment
     * @throws ClosedException if the queue is closed
     * @throws VerbsException if the device fails
     */
    public SrqAttributes query() {
        ensureOpen();
        try {
            return SrqAttributes.of(ops.query());
        } catch (DeviceException e) {
            ensureNotDestroyed();
            throw VerbsException.of("ibv_query_srq", e);
        }
    }

    /**
     * Arms the limit event ({@code ibv_modify_srq} with {@code IBV_SRQ_LIMIT}): once fewer than
     * {@code srqLimit} requests are posted, {@link AsyncEventType#SRQ_LIMIT_REACHED} is raised, and
     * the event is no longer armed. Arming again replaces the limit.
     *
     * <p>If fewer are posted already, {@code soft0} raises the event at once. Other devices, {@code
     * strict0} and soft-RoCE among them, may raise it when the next message takes a request, which
     * is never if there is none: post first, then arm.
     *
     * @param srqLimit the limit, at most {@code maxWr}; 0 to disarm the event
     * @throws IllegalArgumentException if {@code srqLimit} is out of range
     * @throws ClosedException if the queue is closed
     * @throws VerbsException {@code EOPNOTSUPP} if the device cannot do it. Nothing has changed
     *     then
     */
    public void armLimit(int srqLimit) {
        Arguments.inRange("srqLimit", srqLimit, 0, query().maxWr(), "max_wr of " + this);
        modify(new SrqAttr(0, 0, srqLimit), Ibv.SRQ_LIMIT, "srq_limit " + srqLimit);
    }

    /**
     * Changes how many requests the queue holds ({@code ibv_modify_srq} with {@code
     * IBV_SRQ_MAX_WR}). It keeps those that are posted. Not all devices can do it: {@link
     * DeviceCapability#SRQ_RESIZE}.
     *
     * @param maxWr how many it must be able to hold; the device may give more
     * @throws IllegalArgumentException if {@code maxWr} is out of range
     * @throws ClosedException if the queue is closed
     * @throws VerbsException {@code EINVAL} if more are posted than that, or the limit is beyond
     *     it; {@code EOPNOTSUPP} or {@code EINVAL} if the device cannot do it. Nothing has changed
     *     then
     */
    public void resize(int maxWr) {
        Arguments.inRange(
                "maxWr",
                maxWr,
                1,
                pd.context().attributes().maxSrqWr(),
                "max_srq_wr of " + pd.context());
        ensureOpen();
        modify(new SrqAttr(maxWr, 0, 0), Ibv.SRQ_MAX_WR, "max_wr " + maxWr);
    }

    private void modify(SrqAttr attr, int mask, String change) {
        int rc = ops.modify(attr, mask);
        if (rc != 0) {
            ensureNotDestroyed();
            throw VerbsException.refused(MODIFY, rc, this + " to " + change);
        }
    }

    /**
     * Posts a receive request, or the chain that it starts ({@code ibv_post_srq_recv}). When this
     * returns, the request objects can be reused; the memory that they name must not be, until
     * their completions were polled. Waits only while another thread destroys the queue. Allocates
     * nothing once the queue has been as full before.
     *
     * <p>Of UD messages the first 40 bytes are the routing header, as for {@link
     * QueuePair#postRecv}.
     *
     * @param request the first or only request
     * @throws IllegalArgumentException if the request names memory of another protection domain;
     *     nothing was posted
     * @throws ClosedException if the queue is closed
     * @throws PostException if the device refuses one: {@code ENOMEM} if the queue is full; that or
     *     {@code EINVAL}, as the device has it, if it has more entries than were granted. Those
     *     before it in the chain were posted; or the device does not say which: {@link
     *     PostException#posted()}
     * @throws OutOfMemoryError if there is no memory for a copy of the chain; nothing was posted
     */
    public void postRecv(RecvWorkRequest request) {
        Arguments.notNull(request, "request");
        for (RecvWorkRequest r = request; r != null; r = r.next()) {
            if (r.pd() != null && r.pd() != pd) {
                throw new IllegalArgumentException(
                        "request names memory of " + r.pd() + ", but " + this + " is of " + pd);
            }
        }
        ensureOpen();
        long result = ops.postRecv(request.struct());
        if (result != PostResult.OK) {
            throw postFailure(request, result);
        }
    }

    private VerbsException postFailure(RecvWorkRequest first, long result) {
        ensureNotDestroyed();
        int errno = PostResult.errno(result);
        int accepted = PostResult.accepted(result);
        if (accepted == PostResult.UNKNOWN) {
            return new PostException(
                    POST,
                    errno,
                    accepted,
                    "the device does not say how many requests of the chain "
                            + this
                            + " has taken: any of them may receive a message"
                            + UsualCauses.of(POST, errno));
        }
        RecvWorkRequest bad = first;
        for (int i = accepted; i > 0 && bad.next() != null; i--) {
            bad = bad.next();
        }
        SrqAttributes granted = Diagnosis.of(this::query);
        String excess = granted == null ? "" : bad.excess(granted.maxSge());
        String why;
        if (granted != null && excess.isEmpty() && errno == Errno.ENOMEM) {
            why = this + " is full: it was granted " + granted.maxWr();
        } else {
            why =
                    this
                            + " does not take request "
                            + accepted
                            + " of the chain"
                            + (excess.isEmpty() ? "" : ": it has " + excess);
        }
        return new PostException(POST, errno, accepted, why);
    }

    /**
     * Destroys the queue ({@code ibv_destroy_srq}). Requests that are still in it do not complete.
     * Parks until every received asynchronous event of the queue is acknowledged. Closing again
     * does nothing.
     *
     * @throws VerbsException {@code EBUSY} while queue pairs use the queue; {@code EDEADLK} if it
     *     has waited for a second while the calling thread holds such an event. Nothing has changed
     *     then
     */
    @Override
    public void close() {
        if (!ledger.isClosed() && usage.users() > 0) {
            throw busy();
        }
        new AsyncCloser(this, pd.context().asyncEvents(), this::destroy).close(ledger, DESTROY);
    }

    private @Nullable VerbsException destroy() {
        int rc = usage.close(ops::destroy, () -> pd.context().asyncEvents().drop(this));
        if (rc == Lifecycle.IN_USE) {
            return busy();
        }
        return rc == 0 ? null : VerbsException.refused(DESTROY, rc, this + " was not destroyed");
    }

    private VerbsException busy() {
        return BusyMessage.refusal(DESTROY, this, usage);
    }

    private void ensureOpen() {
        if (ledger.isClosed()) {
            throw new ClosedException(this);
        }
    }

    /** Distinguishes a refusal from a close: see {@link QueuePair}. */
    private void ensureNotDestroyed() {
        if (ops.isDestroyed()) {
            throw new ClosedException(this);
        }
    }

    SrqOps ops() {
        return ops;
    }

    Lifecycle usage() {
        return usage;
    }

    /** The device's name and the queue's number. */
    @Override
    public String toString() {
        return pd.context() + "/srq-" + id;
    }
}
