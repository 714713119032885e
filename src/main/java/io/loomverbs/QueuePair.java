package io.loomverbs;

import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.event.Ledger;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A queue pair: {@code struct ibv_qp}. Work requests are posted to its two queues; their
 * completions arrive in its CQs.
 *
 * <p>Safe for use by any number of threads; requests that one thread posts are executed in that
 * order.
 *
 * @since 0.1.0
 */
public final class QueuePair implements AutoCloseable {
    /**
     * A GID index that means no GID: peers address the queue pair by its port's LID. Not on
     * Ethernet.
     */
    public static final int NO_GID = -1;

    private static final String DESTROY = "ibv_destroy_qp";
    static final String MODIFY = "ibv_modify_qp";
    static final String POST_SEND = "ibv_post_send";
    static final String POST_RECV = "ibv_post_recv";
    private static final String BIND_MW = "ibv_bind_mw";
    private static final VarHandle RESETS;

    static {
        try {
            RESETS = MethodHandles.lookup().findVarHandle(QueuePair.class, "resets", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ProtectionDomain pd;
    private final QpConfig config;
    private final Ledger ledger = new Ledger();
    private final Lifecycle usage;
    private final int psn = ThreadLocalRandom.current().nextInt(1 << 24);
    private final Connector connector = new Connector(this);

    /** Written once, before the queue pair is published. */
    @SuppressWarnings("NullAway.Init")
    private QpOps ops;

    /** Changed by addition. */
    private volatile long resets;

    QueuePair(ProtectionDomain pd, QpConfig config) {
        this.pd = pd;
        this.config = config;
        this.usage = new Lifecycle(this, used(pd, config));
    }

    /** The objects that a queue pair uses. */
    static Lifecycle[] used(ProtectionDomain pd, QpConfig config) {
        Lifecycle domain = pd.usage();
        Lifecycle send = config.sendCq().usage();
        Lifecycle recv = config.recvCq().usage();
        SharedReceiveQueue srq = config.srq();
        return srq == null
                ? new Lifecycle[] {domain, send, recv}
                : new Lifecycle[] {domain, send, recv, srq.usage()};
    }

    Ledger ledger() {
        return ledger;
    }

    void created(QpOps created) {
        this.ops = created;
    }

    AsyncListener listener() {
        return usage.isTracked()
                ? WeakListeners.of(this, QueuePair::asyncEvent, pd.context().asyncEvents())
                : this::asyncEvent;
    }

    private void asyncEvent(int type) {
        pd.context().asyncEvents().raise(type, this, ledger);
    }

    /**
     * The protection domain that the queue pair was created in.
     *
     * @return the protection domain
     */
    public ProtectionDomain pd() {
        return pd;
    }

    /**
     * The transport service.
     *
     * @return the type that was asked for
     */
    public QpType type() {
        return config.type();
    }

    /**
     * Where completions of the send queue go.
     *
     * @return the CQ
     */
    public CompletionQueue sendCq() {
        return config.sendCq();
    }

    /**
     * Where completions of the receive queue go.
     *
     * @return the CQ
     */
    public CompletionQueue recvCq() {
        return config.recvCq();
    }

    /**
     * Where the queue pair takes receive requests from.
     *
     * @return the shared receive queue, or null if it has a queue of its own
     */
    public @Nullable SharedReceiveQueue srq() {
        return config.srq();
    }

    /**
     * The object that the program gave when it created the queue pair ({@code qp_context}).
     *
     * @return the object, or null
     */
    public @Nullable Object qpContext() {
        return config.qpContext();
    }

    /**
     * The number by which peers name the queue pair ({@code qp_num}).
     *
     * @return 24 bits
     */
    public int qpNum() {
        return ops.qpNum();
    }

    /**
     * The configuration of the queue pair, with the capacities that the device granted.
     *
     * @return the configuration, its capacities at least what was asked for
     */
    public QpConfig config() {
        return config.granted(ops.cap());
    }

    /**
     * What a peer must know to reach this queue pair: the port and the GID of {@link #init}, or,
     * before that is called, port 1 and its {@linkplain Context#defaultGidIndex default GID}.
     *
     * @return the endpoint; the same at every call, unless {@code init} names another port or GID
     */
    public QpEndpoint endpoint() {
        return connector.local().endpoint(pd.context(), qpNum(), psn);
    }

    int psn() {
        return psn;
    }

    /**
     * The address of a peer, from the port and the GID that this queue pair uses: for {@link
     * ProtectionDomain#createAh}.
     *
     * @param remote the peer's {@link #endpoint()}
     * @return the address
     */
    public AhAttributes addressOf(QpEndpoint remote) {
        return connector.local().addressOf(Arguments.notNull(remote, "remote"));
    }

    /**
     * Initializes a queue pair, from RESET to INIT. From then on receives can be posted, and no
     * message arrives before {@link #connect(QpEndpoint) connect} or {@link #activate}. To have a
     * receive posted before the peer can send: initialize, post receives, send the peer the {@link
     * #endpoint()}, connect. Uses port 1, its {@linkplain Context#defaultGidIndex default GID}, and
     * the partition key of index 0.
     *
     * @param access what the peer may do over the queue pair, if the region allows it, too; none to
     *     allow only messages. Not for UD
     * @throws IllegalArgumentException if {@code access} is given to a queue pair of type UD, or is
     *     one of memory regions only
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException if the device refuses, such as {@code EINVAL} if the state is neither
     *     RESET nor INIT
     */
    public void init(Access... access) {
        ensureOpen();
        connector.init(granting(access), connector.local());
    }

    /**
     * Initializes a queue pair as {@link #init(Access...)} does, for another port or GID; {@link
     * #endpoint()} and the connection use these from then on.
     *
     * @param port the local port, from 1 on
     * @param gidIndex which of its GIDs to use, or {@link #NO_GID}
     * @param access what the peer may do over the queue pair; none to allow only messages. Not for
     *     UD
     * @throws IllegalArgumentException if there is no such port or index, or {@code access} is
     *     given to a queue pair of type UD, or is one of memory regions only
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException if the device refuses, such as {@code EINVAL} if the state is neither
     *     RESET nor INIT
     */
    public void init(int port, int gidIndex, Access... access) {
        ensureOpen();
        QpAttributes granted = granting(access);
        Context context = pd.context();
        context.checkPort("port", port);
        Arguments.inRange(
                "gidIndex",
                gidIndex,
                NO_GID,
                context.port(port).gidTableLength() - 1,
                "-1 for none, or a GID of port " + port);
        connector.init(granted, new LocalPort(port, gidIndex));
    }

    private QpAttributes granting(Access... access) {
        QpAttributes granted = QpAttributes.builder().access(access).build();
        if (type() == QpType.UD && access.length > 0) {
            throw new IllegalArgumentException(
                    "access is " + access[0] + ", but " + this + " is of type UD, which has none");
        }
        return granted;
    }

    /**
     * Connects an RC or UC queue pair to its peer, from RESET or INIT to RTS. Values not given to
     * {@link #init} have its defaults: port 1, its default GID, the partition key of index 0, and
     * the peer may only send messages. Further defaults: the smaller one of both ports' active MTU
     * (256 if that is unknown), up to 7 retries of 67 ms ({@code timeout} 14), unlimited RNR
     * retries of 0.64 ms each ({@code min_rnr_timer} 12), and as many concurrent READs and atomics
     * as the device supports. The other form changes any of these.
     *
     * <p>Both ends must use the same MTU, and neither may have more READs and atomics outstanding
     * than the other serves: if the devices differ, set {@code maxRdAtomic} and {@code
     * maxDestRdAtomic} at both ends, and {@code pathMtu} if an endpoint has no MTU.
     *
     * @param remote the peer's {@link #endpoint()}
     * @throws IllegalStateException if the queue pair is of type UD
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException if the device refuses, such as {@code EINVAL} if the state is neither
     *     RESET nor INIT, or as {@link #modify} says; the queue pair may have come as far as INIT
     *     or RTR
     */
    public void connect(QpEndpoint remote) {
        connect(remote, QpAttributes.builder().build());
    }

    /**
     * Connects an RC or UC queue pair to its peer, as {@link #connect(QpEndpoint)} does, with other
     * values.
     *
     * @param remote the peer's {@link #endpoint()}
     * @param other attributes that are used instead, where they are set; a state is ignored
     * @throws IllegalArgumentException if {@code pathMtu} is set to more than the peer's endpoint
     *     has, or {@code portNum} to a port that does not exist
     * @throws IllegalStateException if the queue pair is of type UD
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException if the device refuses, such as {@code EINVAL} if the state is neither
     *     RESET nor INIT; the queue pair may have come as far as INIT or RTR
     */
    public void connect(QpEndpoint remote, QpAttributes other) {
        Arguments.notNull(remote, "remote");
        Arguments.notNull(other, "other");
        if (type() == QpType.UD) {
            throw new IllegalStateException(
                    this + " is of type UD, which is not connected: use activate");
        }
        connector.connect(remote, other);
    }

    /**
     * Makes a UD queue pair ready to receive and send, from RESET or INIT to RTS. Values not given
     * to {@link #init} have its defaults.
     *
     * @param qkey the key that messages must carry to be received; one with the highest bit set
     *     needs a privilege ({@code CAP_NET_RAW})
     * @throws IllegalStateException if the queue pair is not of type UD
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException if the device refuses, such as {@code EINVAL} if the state is neither
     *     RESET nor INIT
     */
    public void activate(int qkey) {
        if (type() != QpType.UD) {
            throw new IllegalStateException(
                    this + " is of type " + type() + ", which has a peer: use connect");
        }
        connector.activate(qkey);
    }

    /**
     * Changes attributes, including the state ({@code ibv_modify_qp}). Besides the state, the steps
     * from RESET to RTS need these:
     *
     * <table>
     * <caption>Required attributes</caption>
     * <tr><th>to<th>RC<th>UC<th>UD
     * <tr><td>INIT
     *     <td>pkeyIndex, portNum, access
     *     <td>pkeyIndex, portNum, access
     *     <td>pkeyIndex, portNum, qkey
     * <tr><td>RTR
     *     <td>address, pathMtu, destQpNum, rqPsn, maxDestRdAtomic, minRnrTimer
     *     <td>address, pathMtu, destQpNum, rqPsn
     *     <td>
     * <tr><td>RTS
     *     <td>sqPsn, timeout, retryCnt, rnrRetry, maxRdAtomic
     *     <td>sqPsn
     *     <td>sqPsn
     * </table>
     *
     * <p>Every state can change to RESET, which discards posted requests, and every state but RESET
     * to ERR, which flushes them. RTS to SQD drains the send queue; SQD and SQE to RTS resume it.
     * Which other attributes a step may change depends on the type: IBA 10.3.1. On Ethernet (RoCE)
     * this resolves the address, which may query the network and take up to a second.
     *
     * @param attributes those to change
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException {@code EINVAL} if this is not allowed now; {@code EPERM} for a {@code
     *     qkey} that needs a privilege; {@code ETIMEDOUT}, {@code ENETUNREACH} or {@code
     *     EHOSTUNREACH} if the address cannot be resolved. Nothing has changed then
     */
    public void modify(QpAttributes attributes) {
        Arguments.notNull(attributes, "attributes");
        ensureOpen();
        QpAttributes change = attributes.fitting(pd.context());
        String problem = Ranges.problem(this, change);
        if (problem != null) {
            throw new VerbsException(MODIFY, Errno.EINVAL, this + " was not changed: " + problem);
        }
        int rc = ops.modify(change.attr(), change.mask());
        if (rc != 0) {
            ensureNotDestroyed();
            throw modifyFailure(rc, change);
        }
        if (change.setsState() && change.state() == QpState.RESET) {
            RESETS.getAndAdd(this, 1L);
        }
    }

    private VerbsException modifyFailure(int rc, QpAttributes attributes) {
        String to = attributes.setsState() ? " to " + attributes.state() : "";
        return VerbsException.refused(
                MODIFY,
                rc,
                this
                        + ", a queue pair of type "
                        + type()
                        + " in state "
                        + Diagnosis.text(Diagnosis.of(this::state))
                        + to
                        + " with "
                        + attributes
                        + Diagnosis.end(() -> Ranges.suspicion(this, attributes)));
    }

    /** The port that it uses, as far as this class knows. */
    int port() {
        return connector.local().number();
    }

    /**
     * Makes a UD queue pair also receive what is sent to a multicast group ({@code
     * ibv_attach_mcast}). Attaching again does nothing. On InfiniBand the port must also join the
     * group at the subnet manager, which is not part of verbs; on Ethernet (RoCE) this is enough.
     *
     * <p>To send to the group, make an address handle with its GID, and send to queue pair number
     * {@code 0xffffff} with the group's qkey. All attached queue pairs with that qkey and a posted
     * receive get the message, the sender too if it is attached.
     *
     * @param mgid the group's GID, in {@code ff00::/8}, or of an IPv4 address in {@code
     *     224.0.0.0/4}, such as {@code ::ffff:239.1.2.3}
     * @param mlid the group's LID; 0 on Ethernet
     * @throws IllegalArgumentException if {@code mgid} is not a multicast GID or {@code mlid} has
     *     more than 16 bits
     * @throws IllegalStateException if the queue pair is not of type UD
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many groups or
     *     queue pairs in one; {@code EOPNOTSUPP} or {@code ENOSYS} if it has none
     */
    public void attachMcast(Gid mgid, int mlid) {
        checkGroup(mgid, mlid);
        multicast("ibv_attach_mcast", ops.attachMcast(high(mgid), low(mgid), mlid), mgid);
    }

    /**
     * Ends {@link #attachMcast} ({@code ibv_detach_mcast}). A queue pair cannot be closed while it
     * is attached.
     *
     * @param mgid the group's GID
     * @param mlid the group's LID; 0 on Ethernet
     * @throws IllegalArgumentException as {@link #attachMcast}
     * @throws IllegalStateException if the queue pair is not of type UD
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException {@code EINVAL} if it is not attached
     */
    public void detachMcast(Gid mgid, int mlid) {
        checkGroup(mgid, mlid);
        multicast("ibv_detach_mcast", ops.detachMcast(high(mgid), low(mgid), mlid), mgid);
    }

    private void checkGroup(Gid mgid, int mlid) {
        Arguments.notNull(mgid, "mgid");
        Arguments.inRange("mlid", mlid, 0, 0xffff, "16 bits");
        if (!mgid.isMulticast()) {
            throw new IllegalArgumentException(
                    "mgid is " + mgid + ", but groups have addresses in ff00::/8 or 224.0.0.0/4");
        }
        ensureOpen();
        if (type() != QpType.UD) {
            throw new IllegalStateException(
                    this + " is of type " + type() + ", but only UD queue pairs can join groups");
        }
    }

    private static long high(Gid gid) {
        return gid.subnetPrefix();
    }

    private static long low(Gid gid) {
        return gid.interfaceId();
    }

    private void multicast(String verb, int rc, Gid mgid) {
        if (rc != 0) {
            ensureNotDestroyed();
            throw VerbsException.refused(verb, rc, this + ", group " + mgid);
        }
    }

    /**
     * Reads all attributes ({@code ibv_query_qp}).
     *
     * @return the attributes at this moment
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException if the device fails
     */
    public QpAttributes query() {
        ensureOpen();
        QpAttr attr = new QpAttr();
        int rc = ops.query(attr);
        if (rc != 0) {
            ensureNotDestroyed();
            throw VerbsException.refused("ibv_query_qp", rc, this + " was not queried");
        }
        return new QpAttributes(attr, ~0);
    }

    /**
     * The queue pair's current state.
     *
     * @return the state
     * @throws ClosedException if the queue pair is closed
     * @throws VerbsException if the device fails
     */
    public QpState state() {
        return query().state();
    }

    /**
     * How often {@link #modify} has moved the queue pair to RESET. A request that was posted before
     * such a move, and had not completed by then, never does. A thread that polls the completion of
     * a later request sees the move counted. Does not ask the device; works on a closed queue pair,
     * too.
     *
     * @return the number of moves
     */
    public long resets() {
        return resets;
    }

    /**
     * Posts a work request, or the chain that it starts, to the send queue ({@code ibv_post_send}).
     * When this returns, the request objects can be reused. The memory and the address handle that
     * they name must not be reused or closed until the requests have completed: until their
     * completion, or, for {@linkplain SendWorkRequest#signaled unsignaled} requests, that of a
     * later one, was polled. Waits only while another thread destroys the queue pair or the address
     * handle. Allocates nothing once the queue has been as full before.
     *
     * @param request the first or only request
     * @throws IllegalArgumentException if the request names memory or an address handle of another
     *     protection domain; nothing was posted
     * @throws ClosedException if the queue pair is closed
     * @throws PostException if the device refuses one: {@code ENOMEM} if the queue is full, {@code
     *     EINVAL} if the state or the type of the queue pair do not allow it; one or the other,
     *     depending on the device, if there are more entries or inline data than the queue pair was
     *     granted. Those before it in the chain were posted; or the device does not say which:
     *     {@link PostException#posted()}
     * @throws OutOfMemoryError if there is no memory for a copy of the chain; nothing was posted
     */
    public void postSend(SendWorkRequest request) {
        Arguments.notNull(request, "request");
        for (SendWorkRequest r = request; r != null; r = r.next()) {
            checkPd(r.pd());
        }
        ensureOpen();
        long result = ops.postSend(request.struct());
        if (result != PostResult.OK) {
            SendWorkRequest bad = request;
            for (int i = PostResult.accepted(result); i > 0 && bad.next() != null; i--) {
                bad = bad.next();
            }
            ensureNotDestroyed();
            throw PostRefusal.of(
                    this, POST_SEND, result, bad.excess(ops.cap()), ops.cap().maxSendWr());
        }
    }

    /**
     * Posts a work request, or the chain that it starts, to the receive queue ({@code
     * ibv_post_recv}). When this returns, the request objects can be reused; the memory that they
     * name must not be, until they have completed. Waits and allocates like {@link #postSend}.
     *
     * @param request the first or only request
     * @throws IllegalArgumentException if the request names memory of another protection domain;
     *     nothing was posted
     * @throws ClosedException if the queue pair is closed
     * @throws PostException if the device refuses one: {@code ENOMEM} if the queue is full, {@code
     *     EINVAL} if the state or the capacities of the queue pair do not allow it, or it takes its
     *     receives from a {@link SharedReceiveQueue}; those before it in the chain were posted; or
     *     the device does not say which: {@link PostException#posted()}
     * @throws OutOfMemoryError if there is no memory for a copy of the chain; nothing was posted
     */
    public void postRecv(RecvWorkRequest request) {
        Arguments.notNull(request, "request");
        for (RecvWorkRequest r = request; r != null; r = r.next()) {
            checkPd(r.pd());
        }
        ensureOpen();
        SharedReceiveQueue srq = srq();
        if (srq != null) {
            throw new PostException(
                    POST_RECV, Errno.EINVAL, 0, this + " takes its receives from " + srq);
        }
        long result = ops.postRecv(request.struct());
        if (result != PostResult.OK) {
            RecvWorkRequest bad = request;
            for (int i = PostResult.accepted(result); i > 0 && bad.next() != null; i--) {
                bad = bad.next();
            }
            ensureNotDestroyed();
            throw PostRefusal.of(
                    this,
                    POST_RECV,
                    result,
                    bad.excess(ops.cap().maxRecvSge()),
                    ops.cap().maxRecvWr());
        }
    }

    /**
     * Posts a request to bind a window of {@link MwType#TYPE_1} to a part of a region, or to unbind
     * it ({@code ibv_bind_mw}; RC and UC). With the post, the window has its {@linkplain
     * MemoryWindow#rkey new key}; the bind is done when the request, which is signaled, has
     * completed, or else ends with {@link WcStatus#MW_BIND_ERR}. Replaces an earlier bind, to
     * whatever region. Like {@link #postSend}, except that it allocates small objects.
     *
     * @param mw the window; keep it and the region open until the request has completed
     * @param wrId the number by which the completion names the request
     * @param mr the region, registered with {@link Access#MW_BIND}
     * @param offset where the part starts, in bytes
     * @param length how long it is, in bytes; 0 unbinds the window
     * @param access what peers may do: {@code REMOTE_READ}, {@code REMOTE_WRITE}, {@code
     *     REMOTE_ATOMIC}; the latter two need a region with {@code LOCAL_WRITE}
     * @throws IllegalArgumentException if the window is of type 2, or of another protection domain
     *     than the region or the queue pair; the part is not within the region; or a window cannot
     *     have the access
     * @throws ClosedException if the queue pair, the window or the region is closed
     * @throws PostException if the device refuses: {@code ENOMEM} if the send queue is full, {@code
     *     EINVAL} if the state or the type of the queue pair does not allow it, or the access has
     *     {@code ZERO_BASED}, which many devices have for type 2 only
     */
    public void bindMw(
            MemoryWindow mw,
            long wrId,
            MemoryRegion mr,
            long offset,
            long length,
            Access... access) {
        Arguments.notNull(mw, "mw");
        Arguments.notNull(mr, "mr");
        int flags = Access.flags(access);
        ensureOpen();
        mw.checkType(MwType.TYPE_1);
        int rkey = MemoryWindow.incRkey(mw.rkey());
        SendWorkRequest bind =
                SendWorkRequest.allocate(1, 0)
                        .wrId(wrId)
                        .signaled()
                        .bind(mw, rkey, mr, offset, length, 0, flags);
        checkPd(bind.pd());
        int rc = ops.bindMw(bind.struct());
        if (rc != 0) {
            ensureNotDestroyed();
            throw PostRefusal.of(
                    this, BIND_MW, PostResult.failed(-rc, 0), "", ops.cap().maxSendWr());
        }
    }

    private void checkPd(@Nullable ProtectionDomain named) {
        if (named != null && named != pd) {
            throw new IllegalArgumentException(
                    "request names memory or an address handle of "
                            + named
                            + ", but "
                            + this
                            + " is of "
                            + pd);
        }
    }

    /**
     * Destroys the queue pair ({@code ibv_destroy_qp}). Outstanding requests end without a
     * completion. Completions that were not polled may be lost as well: {@code soft0} leaves them
     * in the CQs, many devices discard them, as they do on the way to RESET. To keep them, move the
     * queue pair to ERR and poll first. Parks until every received asynchronous event of the queue
     * pair is acknowledged. Closing again does nothing.
     *
     * @throws VerbsException {@code EBUSY} while it is attached to multicast groups ({@link
     *     #detachMcast}); {@code EDEADLK} if it has waited for a second while the calling thread
     *     holds such an event; nothing has changed then
     */
    @Override
    public void close() {
        new AsyncCloser(this, pd.context().asyncEvents(), this::destroy).close(ledger, DESTROY);
    }

    private @Nullable VerbsException destroy() {
        int rc = usage.close(ops::destroy, this::destroyed);
        return rc == 0 ? null : VerbsException.refused(DESTROY, rc, this + " was not destroyed");
    }

    private void destroyed() {
        pd.context().qps().remove(qpNum(), this);
        pd.context().asyncEvents().drop(this);
    }

    Lifecycle usage() {
        return usage;
    }

    QpOps openOps() {
        ensureOpen();
        return ops;
    }

    private void ensureOpen() {
        if (ledger.isClosed()) {
            throw new ClosedException(this);
        }
    }

    /**
     * Distinguishes a refusal from a close: a queue pair that a closer has just destroyed refuses
     * every call shortly before the ledger is CLOSED.
     */
    private void ensureNotDestroyed() {
        if (ops.isDestroyed()) {
            throw new ClosedException(this);
        }
    }

    /** The device's name and the queue pair's number. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s/qp-0x%06x", pd.context(), ops.qpNum());
    }
}
