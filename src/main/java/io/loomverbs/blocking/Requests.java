package io.loomverbs.blocking;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.QpConfig;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.VerbsException;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/**
 * Blocking requests over a queue pair. Each method parks the calling thread until its own request
 * is done, and throws if it has failed.
 *
 * <p>Safe for use by any number of threads; thousands can share one queue pair, and many queue
 * pairs one CQ. The requests of one thread are executed in order. The queue pair's CQs must have
 * direct delivery ({@link io.loomverbs.Context#createDirectCq}), and the program must not poll them
 * from then on: see "Which thread polls" in the description of the package. Nor may it post
 * requests itself.
 *
 * <p>While the send queue is full, further requests wait for a place; so no call fails because it
 * is full, and no CQ overruns. Receives are kept posted; see {@link RequestsConfig#withReceives}.
 *
 * <h2>Errors</h2>
 *
 * When a request fails, the device takes the queue pair to state ERR, or to SQE on UC and UD. Every
 * thread that waits then gets a {@link RequestFailedException} with the status of the request that
 * failed, and so does every later call, at once. Messages that have arrived can still be received.
 * A call that throws an {@link IllegalArgumentException}, or a {@link VerbsException} because the
 * device refused the request, has changed nothing. Over a queue pair that was created for 0 send
 * requests, each method that makes a request throws an {@link IllegalStateException}.
 *
 * <p>If a CQ delivers no more completions, or not all, because it has overrun, or because the
 * program serves it, adds it to a group or polls it by hand, its queue pairs are moved to RESET,
 * and all their requests fail. Then only a reset ensures that the device no longer uses the memory:
 * while the device refuses that, a call that waits throws what has ended the CQ, an {@link
 * IllegalStateException} or a {@link VerbsException}. If the program itself moves the queue pair to
 * RESET while something is posted, all requests fail within some seconds, also when it has
 * connected the queue pair again meanwhile.
 *
 * <h2>Interrupts and timeouts</h2>
 *
 * A call that is interrupted before its request was posted throws {@link InterruptedException}: the
 * request is taken back. Later it throws {@link RequestInterruptedException}, which carries the
 * request: the request continues, and the queue pair stays usable. The same holds for timeouts
 * ({@link RequestsConfig#withTimeout}) and {@link RequestTimeoutException}. The buffer of such a
 * request can be closed; it goes back to its pool when the request is done.
 *
 * @since 0.1.0
 */
public final class Requests implements AutoCloseable {
    static {
        AllClasses.load();
    }

    private final QueuePair qp;
    private final QpConfig granted;
    private final long timeout;
    private final Attachment attachment;
    private final SendSide send;
    private final ReceiveSide receive;

    private Requests(QueuePair qp, RequestsConfig config, Buffer[] buffers, Reservation room) {
        this.qp = qp;
        this.granted = qp.config();
        this.timeout =
                config.timeout() == null
                        ? Long.MAX_VALUE
                        : Check.nanos("timeout", config.timeout());
        this.attachment = Attachment.of(qp, buffers, room);
        this.send = attachment.send();
        this.receive = attachment.receive();
    }

    /**
     * Requests over a queue pair, without receives: {@link #over(QueuePair, RequestsConfig)} with
     * {@link RequestsConfig#of()}.
     *
     * @param qp the queue pair
     * @return the requests
     * @throws IllegalStateException if a CQ of it has no direct delivery or no room, or requests
     *     over it are open
     * @throws ClosedException if the queue pair is closed
     */
    public static Requests over(QueuePair qp) {
        return over(qp, RequestsConfig.of());
    }

    /**
     * Requests over a queue pair. Receives are posted at once: initialize the queue pair before,
     * and connect it afterwards, so that the peer cannot send before they are posted.
     *
     * <p>Both queues of the queue pair must be empty. Its CQ must hold the completions of all
     * requests and receives of all its queue pairs: the sum of their {@code maxSendWr} and {@code
     * maxRecvWr} is enough. On a smaller CQ, fewer requests are posted at once.
     *
     * <p>Close the requests before the queue pair.
     *
     * @param qp the queue pair, in any state; for receives at least INIT
     * @param config how many receives, and more
     * @return the requests
     * @throws IllegalArgumentException if the queue pair was created for fewer requests or
     *     receives, or the pool is of another protection domain
     * @throws IllegalStateException if a CQ of it has no direct delivery or no room, the pool has
     *     too few buffers left, or requests over it are open
     * @throws ClosedException if the queue pair or the pool is closed
     * @throws VerbsException if the device refuses a receive; those before it are flushed. If it
     *     refuses that, too, that is suppressed here, and the buffers come back once the device has
     *     moved or destroyed the queue pair
     */
    public static Requests over(QueuePair qp, RequestsConfig config) {
        Check.notNull(qp, "qp");
        Check.notNull(config, "config");
        requireDirect(qp.sendCq(), "sendCq");
        if (config.receives() > 0) {
            requireDirect(qp.recvCq(), "recvCq");
        }
        QpConfig granted = qp.config();
        qp.state(); // or it is closed
        if (config.sends() > granted.maxSendWr()) {
            throw new IllegalArgumentException(
                    "sends is "
                            + config.sends()
                            + ", but "
                            + qp
                            + " was granted maxSendWr "
                            + granted.maxSendWr());
        }
        if (config.receives() > granted.maxRecvWr()) {
            throw new IllegalArgumentException(
                    "receives is "
                            + config.receives()
                            + ", but "
                            + qp
                            + " was granted maxRecvWr "
                            + granted.maxRecvWr());
        }
        Buffer[] buffers = Buffers.take(config, qp);
        Requests made = null;
        Reservation room = null;
        try {
            room = Reservation.of(qp, config, granted);
            made = new Requests(qp, config, buffers, room);
            made.receive.start();
            return made;
        } catch (RuntimeException | Error e) {
            if (made != null) {
                made.closeAfter(e);
            }
            throw e;
        } finally {
            if (made == null) {
                if (room != null) {
                    room.release();
                }
                for (Buffer b : buffers) {
                    b.close();
                }
            }
        }
    }

    /**
     * If the device refuses this, too, the program gets the first exception, and another thread
     * tries again: the program cannot.
     */
    private void closeAfter(Throwable cause) {
        try {
            close();
        } catch (RuntimeException | Error e) {
            suppress(e, cause);
            try {
                Thread.ofVirtual()
                        .name("loomverbs-close " + attachment)
                        .inheritInheritableThreadLocals(false)
                        .start(attachment::closeInTime);
            } catch (RuntimeException | Error noThread) {
                suppress(noThread, cause);
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // the JVM may throw an Error that it has made before
    private static void suppress(Throwable later, Throwable cause) {
        if (later != cause) {
            try {
                cause.addSuppressed(later);
            } catch (VirtualMachineError e) {
                // No memory to keep it: the cause comes first.
            }
        }
    }

    private static void requireDirect(CompletionQueue cq, String name) {
        if (!cq.isDirect()) {
            throw new IllegalStateException(
                    name
                            + " is "
                            + cq
                            + ", which has no direct delivery: create it with createDirectCq");
        }
    }

    /**
     * The queue pair that executes the requests.
     *
     * @return the queue pair
     */
    public QueuePair queuePair() {
        return qp;
    }

    /**
     * Sends a message to the next receive of the peer, and parks until it is done: on RC the peer
     * has received it.
     *
     * @param message its bytes
     * @throws InterruptedException if the thread was interrupted: see "Interrupts" above
     * @throws RequestFailedException if the request failed or was flushed, or an earlier one failed
     * @throws RequestTimeoutException if it was not done in time
     * @throws IllegalArgumentException if the buffer is of another protection domain
     * @throws VerbsException if the device refused the request
     * @throws ClosedException if this, the queue pair or the buffer is closed
     */
    public void send(Buffer message) throws InterruptedException {
        finish(describeSend(message));
    }

    /**
     * Starts what {@link #send} does. Parks only while the send queue is full.
     *
     * @param message its bytes
     * @return the request
     * @throws InterruptedException if the thread was interrupted; nothing was sent
     * @throws RequestFailedException if an earlier request failed
     * @throws RequestTimeoutException if there was no place in time; nothing was sent
     * @throws IllegalArgumentException if the buffer is of another protection domain
     * @throws ClosedException if this, the queue pair or the buffer is closed
     */
    public Pending startSend(Buffer message) throws InterruptedException {
        return start(describeSend(message));
    }

    /**
     * Sends a message with an immediate; otherwise like {@link #send}.
     *
     * @param message its bytes
     * @param imm what the receiver's {@link Message#imm} is
     * @throws InterruptedException if the thread was interrupted: see "Interrupts" above
     * @throws RequestFailedException if the request failed or was flushed, or an earlier one failed
     * @throws RequestTimeoutException if it was not done in time
     * @throws IllegalArgumentException if the buffer is of another protection domain
     * @throws VerbsException if the device refused the request
     * @throws ClosedException if this, the queue pair or the buffer is closed
     */
    public void sendWithImm(Buffer message, int imm) throws InterruptedException {
        Request r = describeSend(message);
        r.wr.sendWithImm(imm);
        finish(r);
    }

    /**
     * Writes to memory of the peer, and parks until it is done. The peer is not notified.
     *
     * @param from what to write
     * @param to where to; at least as long
     * @throws InterruptedException if the thread was interrupted: see "Interrupts" above
     * @throws RequestFailedException if the request failed or was flushed, or an earlier one failed
     * @throws RequestTimeoutException if it was not done in time
     * @throws IllegalArgumentException if {@code to} is shorter, or the buffer is of another
     *     protection domain
     * @throws VerbsException if the device refused the request
     * @throws ClosedException if this, the queue pair or the buffer is closed
     */
    public void write(Buffer from, RemoteRegion to) throws InterruptedException {
        finish(describeWrite(from, to));
    }

    /**
     * Starts what {@link #write} does. Parks only while the send queue is full.
     *
     * @param from what to write
     * @param to where to; at least as long
     * @return the request
     * @throws InterruptedException if the thread was interrupted; nothing was written
     * @throws RequestFailedException if an earlier request failed
     * @throws RequestTimeoutException if there was no place in time; nothing was written
     * @throws IllegalArgumentException if {@code to} is shorter, or the buffer is of another
     *     protection domain
     * @throws ClosedException if this, the queue pair or the buffer is closed
     */
    public Pending startWrite(Buffer from, RemoteRegion to) throws InterruptedException {
        return start(describeWrite(from, to));
    }

    /**
     * Writes to memory of the peer and notifies it, with a message that has no bytes but {@link
     * Message#isWrite}; otherwise like {@link #write}.
     *
     * @param from what to write
     * @param to where to; at least as long
     * @param imm what the receiver's {@link Message#imm} is
     * @throws InterruptedException if the thread was interrupted: see "Interrupts" above
     * @throws RequestFailedException if the request failed or was flushed, or an earlier one failed
     * @throws RequestTimeoutException if it was not done in time
     * @throws IllegalArgumentException if {@code to} is shorter, or the buffer is of another
     *     protection domain
     * @throws VerbsException if the device refused the request
     * @throws ClosedException if this, the queue pair or the buffer is closed
     */
    public void writeWithImm(Buffer from, RemoteRegion to, int imm) throws InterruptedException {
        Request r = describeWrite(from, to);
        r.wr.rdmaWriteWithImm(to.address(), to.rkey(), imm);
        finish(r);
    }

    /**
     * Reads memory of the peer, and parks until it has the bytes. RC only.
     *
     * @param from what to read
     * @param to where to; at least as long
     * @throws InterruptedException if the thread was interrupted: see "Interrupts" above
     * @throws RequestFailedException if the request failed or was flushed, or an earlier one failed
     * @throws RequestTimeoutException if it was not done in time
     * @throws IllegalArgumentException if {@code to} is shorter, or the buffer is of another
     *     protection domain
     * @throws VerbsException if the device refused the request
     * @throws ClosedException if this, the queue pair or the buffer is closed
     */
    public void read(RemoteRegion from, Buffer to) throws InterruptedException {
        finish(describeRead(from, to));
    }

    /**
     * Starts what {@link #read} does. Parks only while the send queue is full.
     *
     * @param from what to read
     * @param to where to; at least as long
     * @return the request
     * @throws InterruptedException if the thread was interrupted; nothing is read
     * @throws RequestFailedException if an earlier request failed
     * @throws RequestTimeoutException if there was no place in time; nothing is read
     * @throws IllegalArgumentException if {@code to} is shorter, or the buffer is of another
     *     protection domain
     * @throws ClosedException if this, the queue pair or the buffer is closed
     */
    public Pending startRead(RemoteRegion from, Buffer to) throws InterruptedException {
        return start(describeRead(from, to));
    }

    /**
     * Sets 8 bytes of the peer to {@code swap} if they equal {@code expected}, atomically, and
     * parks until it is done. RC only.
     *
     * @param at 8 bytes at an address that is a multiple of 8
     * @param expected the expected value
     * @param swap the new value
     * @return the previous value: {@code expected} if it was replaced
     * @throws InterruptedException if the thread was interrupted: see "Interrupts" above
     * @throws RequestFailedException if the request failed or was flushed, or an earlier one failed
     * @throws RequestTimeoutException if it was not done in time
     * @throws IllegalArgumentException if {@code at} is not 8 bytes long, or its address is not a
     *     multiple of 8
     * @throws VerbsException if the device refused the request
     * @throws ClosedException if this or the queue pair is closed
     */
    public long compareAndSwap(RemoteRegion at, long expected, long swap)
            throws InterruptedException {
        return finishAtomic(describeAtomic(Op.COMPARE_AND_SWAP, at, expected, swap));
    }

    /**
     * Adds to 8 bytes of the peer, atomically, and parks until it is done. RC only.
     *
     * @param at 8 bytes at an address that is a multiple of 8
     * @param add the number to add
     * @return the previous value
     * @throws InterruptedException if the thread was interrupted: see "Interrupts" above
     * @throws RequestFailedException if the request failed or was flushed, or an earlier one failed
     * @throws RequestTimeoutException if it was not done in time
     * @throws IllegalArgumentException if {@code at} is not 8 bytes long, or its address is not a
     *     multiple of 8
     * @throws VerbsException if the device refused the request
     * @throws ClosedException if this or the queue pair is closed
     */
    public long fetchAdd(RemoteRegion at, long add) throws InterruptedException {
        return finishAtomic(describeAtomic(Op.FETCH_ADD, at, 0, add));
    }

    /**
     * Executes a request that the other methods do not offer, such as one with inline data, several
     * entries, a fence, or an address of UD, and parks until it is done. The program must keep the
     * memory that it names until then, also after an interrupt or a timeout.
     *
     * @param description describes the request
     * @throws InterruptedException if the thread was interrupted: see "Interrupts" above
     * @throws RequestFailedException if the request failed or was flushed, or an earlier one failed
     * @throws RequestTimeoutException if it was not done in time
     * @throws IllegalArgumentException if it names memory of another protection domain
     * @throws VerbsException if the device refused the request
     * @throws ClosedException if this or the queue pair is closed
     */
    public void execute(Description description) throws InterruptedException {
        finish(describe(description));
    }

    /**
     * Starts what {@link #execute} does. Parks only while the send queue is full.
     *
     * @param description describes the request
     * @return the request
     * @throws InterruptedException if the thread was interrupted; nothing is executed
     * @throws RequestFailedException if an earlier request failed
     * @throws RequestTimeoutException if there was no place in time; nothing is executed
     * @throws ClosedException if this or the queue pair is closed
     */
    public Pending start(Description description) throws InterruptedException {
        return start(describe(description));
    }

    /**
     * Takes the next message, and parks until there is one. Closing it posts its buffer again.
     *
     * @return the message
     * @throws InterruptedException if the thread was interrupted before or while it waited, and
     *     there is no message
     * @throws RequestFailedException if a request or a receive has failed, and no message is left
     * @throws RequestTimeoutException if none came in time
     * @throws IllegalStateException if there are no receives: see {@link RequestsConfig}
     * @throws ClosedException if this or the CQ is closed, and no message is left
     */
    public Message receive() throws InterruptedException {
        Message m = receiveNanos(timeout);
        if (m == null) {
            throw new RequestTimeoutException(
                    this + " has received no message within " + Duration.ofNanos(timeout), null);
        }
        return m;
    }

    /**
     * Takes the next message, and parks until there is one, for at most {@code limit}.
     *
     * @param limit how long to wait; zero only polls
     * @return the message, or null if none came in time
     * @throws InterruptedException if the thread was interrupted before or while it waited, and
     *     there is no message
     * @throws IllegalArgumentException if the limit is negative
     * @throws RequestFailedException if a request or a receive has failed, and no message is left
     * @throws IllegalStateException if there are no receives: see {@link RequestsConfig}
     * @throws ClosedException if this or the CQ is closed, and no message is left
     */
    public @Nullable Message receive(Duration limit) throws InterruptedException {
        return receiveNanos(Check.nanos("limit", limit));
    }

    private @Nullable Message receiveNanos(long nanos) throws InterruptedException {
        if (receive.size() == 0) {
            throw new IllegalStateException(
                    this + " has no receives: use RequestsConfig.withReceives");
        }
        long start = nanos == Long.MAX_VALUE ? 0 : System.nanoTime();
        for (; ; ) {
            boolean over = receive.isOver(); // before the look: none comes behind the end
            Message m = receive.poll();
            if (m != null) {
                return m;
            }
            if (over) {
                throw attachment.refusal();
            }
            long left = nanos == Long.MAX_VALUE ? nanos : nanos - (System.nanoTime() - start);
            if (!attachment.receives().await(receive, Math.max(0, left))) {
                return receive.poll();
            }
        }
    }

    /** How often a thread was parked until another one completed its request. For measurements. */
    long wakeUps() {
        return send.wakeUps();
    }

    private Request begin(Op op) throws InterruptedException {
        if (attachment.refuses()) {
            throw attachment.refusal();
        }
        if (send.capacity() == 0) {
            throw new IllegalStateException(
                    qp + " has no send queue: it was created for 0 requests");
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        return send.take(op);
    }

    private Request describeSend(Buffer message) throws InterruptedException {
        Check.notNull(message, "message");
        Request r = begin(Op.SEND);
        r.wr.send();
        message.describe(r, attachment);
        return r;
    }

    private Request describeWrite(Buffer from, RemoteRegion to) throws InterruptedException {
        Check.notNull(from, "from");
        fits(from.length(), "from", Check.notNull(to, "to").length(), "to");
        Request r = begin(Op.WRITE);
        r.remote = to;
        r.wr.rdmaWrite(to.address(), to.rkey());
        from.describe(r, attachment);
        return r;
    }

    private Request describeRead(RemoteRegion from, Buffer to) throws InterruptedException {
        Check.notNull(to, "to");
        fits(Check.notNull(from, "from").length(), "from", to.length(), "to");
        Request r = begin(Op.READ);
        r.remote = from;
        r.wr.rdmaRead(from.address(), from.rkey());
        to.describe(r, attachment, (int) from.length());
        return r;
    }

    private static void fits(long bytes, String source, long room, String target) {
        if (bytes > room) {
            throw new IllegalArgumentException(
                    source + " has " + bytes + " bytes, but " + target + " has only " + room);
        }
    }

    private Request describeAtomic(Op op, RemoteRegion at, long expected, long operand)
            throws InterruptedException {
        if (Check.notNull(at, "at").length() != Long.BYTES) {
            throw new IllegalArgumentException(
                    "at has " + at.length() + " bytes, but an atomic is done on 8: use slice");
        }
        if ((at.address() & Long.BYTES - 1) != 0) {
            throw new IllegalArgumentException(
                    "at is "
                            + at
                            + ", whose address is not a multiple of 8, as that of an atomic must"
                            + " be");
        }
        Request r = begin(op);
        send.prepareAtomics();
        r.remote = at;
        r.bytes = Long.BYTES;
        r.expected = expected;
        r.operand = operand;
        return r;
    }

    private Request describe(Description description) throws InterruptedException {
        Check.notNull(description, "description");
        send.recycle(begin(Op.OTHER)); // the checks only
        SendWorkRequest wr =
                SendWorkRequest.allocate(
                        Math.max(1, granted.maxSendSge()), granted.maxInlineData());
        description.describe(wr);
        wr.next(null);
        return new Request(send, wr, false);
    }

    private Pending start(Request r) throws InterruptedException {
        send.submit(r);
        if (r.isQueued()) {
            r.tellPosted = true;
            boolean left = true;
            try {
                left = attachment.sends().await(new Posted(r), timeout);
            } catch (InterruptedException e) {
                if (cancel(r)) {
                    throw e;
                }
                Thread.currentThread().interrupt(); // it was posted just now
            }
            if (!left && cancel(r)) {
                throw notPosted(r);
            }
        }
        return new Pending(attachment, r);
    }

    private RequestTimeoutException notPosted(Request r) {
        return new RequestTimeoutException(
                r
                        + " was not posted within "
                        + Duration.ofNanos(timeout)
                        + ": the send queue of "
                        + this
                        + " is full",
                null);
    }

    private boolean cancel(Request r) {
        if (!r.cancel()) {
            return false;
        }
        send.cancelledOne();
        return true;
    }

    private void finish(Request r) throws InterruptedException {
        run(r);
        send.recycle(r);
    }

    private long finishAtomic(Request r) throws InterruptedException {
        run(r);
        long previous = r.result;
        send.recycle(r);
        return previous;
    }

    private void run(Request r) throws InterruptedException {
        send.submit(r);
        boolean done;
        try {
            done = attachment.sends().await(r, timeout);
        } catch (InterruptedException e) {
            if (cancel(r)) {
                throw e;
            }
            throw new RequestInterruptedException(new Pending(attachment, r));
        }
        if (!done) {
            if (cancel(r)) {
                throw notPosted(r);
            }
            Pending pending = new Pending(attachment, r);
            throw new RequestTimeoutException(
                    pending + " was not done within " + Duration.ofNanos(timeout), pending);
        }
        r.check();
    }

    /**
     * Ends all requests, and parks until the device no longer uses their memory: refuses new ones,
     * takes the queue pair to state ERR, and waits until everything that was posted has been
     * flushed. Threads that wait get an exception. Then the CQs are free for other use, the
     * receives' buffers are back in their pool, and the queue pair, which stays open, can be closed
     * or reset. Messages that the program holds stay valid until it closes them.
     *
     * <p>To end without failures, wait for all requests first. An interrupt does not end the wait;
     * the thread stays interrupted. Closing again does nothing. If two threads close concurrently,
     * the second waits for the first.
     *
     * @throws VerbsException if the device refuses to move the queue pair, and the requests stay
     *     open; or if it refuses to deregister memory that atomics have used, and the requests are
     *     closed. In both cases, close again to try again
     */
    @Override
    public void close() {
        attachment.close();
    }

    /** The queue pair's name. */
    @Override
    public String toString() {
        return attachment.toString();
    }
}
