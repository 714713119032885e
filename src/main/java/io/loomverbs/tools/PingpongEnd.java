package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * One of the two ends: its queue pair, its memory, and the handler that plays.
 *
 * <p>As in the C programs, one buffer is received into and sent from, so that the server sends back
 * what it got; and the queue pair is set up with the same attributes.
 */
final class PingpongEnd implements AutoCloseable {
    /** How long a close waits; nothing is unacknowledged by then. */
    private static final Duration CLOSE = Duration.ofSeconds(10);

    /** The space for a routing header in front of each message that a UD queue pair receives. */
    private static final int GRH_BYTES = 40;

    private static final int QKEY = 0x11111111;
    private static final int BATCH = 16;
    private static final int DIGITS = 3;

    private final PingpongPlan plan;
    private final boolean begins;
    private final int payloadAt;
    private final MemoryRegion buffer;
    private final MemorySegment payload;
    private final CompletionQueue cq;
    private final QueuePair qp;
    private final WorkCompletions batch = WorkCompletions.allocate(BATCH);
    private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
    private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
    private final Histogram roundTripNanos = new Histogram(DIGITS);
    private @Nullable AddressHandle ah;
    private int remoteQpn;

    /** Written by the handler, read by the thread that watches it. */
    private volatile int received;

    private int sent;
    private int sendsDone;
    private long sentNanos;
    private boolean peerIsOfC;

    /**
     * Makes it ready to receive, except for the connection.
     *
     * @param begins whether it sends the first message, as a client does
     */
    PingpongEnd(ProtectionDomain pd, PingpongPlan plan, boolean begins) {
        this(pd, plan, begins, qp -> qp.init(plan.ibPort(), plan.gidIndex()));
    }

    /** Like the other, with a different step from RESET to INIT. */
    PingpongEnd(ProtectionDomain pd, PingpongPlan plan, boolean begins, Consumer<QueuePair> init) {
        this.plan = plan;
        this.begins = begins;
        Context context = pd.context();
        payloadAt = plan.type() == QpType.UD ? GRH_BYTES : 0;
        buffer = pd.allocateMr((long) payloadAt + plan.size(), Access.LOCAL_WRITE);
        payload = buffer.memory().asSlice(payloadAt, plan.size());
        int cqe = plan.rxDepth() + BATCH;
        WaitStrategy strategy = plan.strategy();
        if (strategy != null) {
            cq = context.createDirectCq(cqe, strategy);
        } else if (plan.events()) {
            cq = context.createDirectCq(cqe);
        } else {
            cq = context.createCq(cqe, null, null, 0);
        }
        qp = pd.createQp(QpConfig.of(plan.type(), cq).withWr(BATCH, plan.rxDepth()));
        init.accept(qp);
        for (int i = 0; i < plan.rxDepth(); i++) {
            qp.postRecv(recv.clear().sge(buffer));
        }
        if (plan.events()) {
            cq.reqNotify(false);
        }
    }

    /** The endpoint for the other end. */
    PingpongPeer here() {
        return new PingpongPeer(qp.endpoint());
    }

    QueuePair queuePair() {
        return qp;
    }

    Histogram roundTripNanos() {
        return roundTripNanos;
    }

    /** Connects it to the other end: it can receive when this returns. */
    void connect(PingpongPeer remote) {
        remoteQpn = remote.qpn();
        if (plan.type() == QpType.UD) {
            qp.activate(QKEY);
            ah = qp.pd().createAh(plan.addressOf(remote));
            return;
        }
        qp.connect(
                remote.endpoint(),
                QpAttributes.builder()
                        .address(plan.addressOf(remote))
                        .pathMtu(plan.mtu())
                        .maxDestRdAtomic(1)
                        .maxRdAtomic(1)
                        .build());
    }

    /** How many messages have arrived. */
    int received() {
        return received;
    }

    /**
     * Plays until the agreed number of messages has gone both ways. Waits without a limit: {@link
     * Pingpong} notices when nothing arrives any more, and interrupts it.
     */
    void play() throws InterruptedException {
        if (begins) {
            sentNanos = System.nanoTime();
            post();
        }
        while (!isOver()) {
            handle(awaitSome());
        }
    }

    private boolean isOver() {
        return received >= plan.iters() && sendsDone >= plan.iters();
    }

    private int awaitSome() throws InterruptedException {
        if (plan.strategy() != null) {
            return cq.await(batch);
        }
        return plan.events() ? awaitEvent() : pollUntilSome();
    }

    /** Once it is over the peer may disconnect, which flushes the receives that are left. */
    private void handle(int n) {
        for (int i = 0; i < n && !isOver(); i++) {
            if (!batch.isSuccess(i)) {
                throw new IllegalStateException(
                        "a work request failed: "
                                + batch.get(i)
                                + "; usually: "
                                + batch.status(i).hint());
            }
            if (batch.opcode(i) == WcOpcode.RECV) {
                answer();
            } else {
                sendsDone++;
            }
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // only the handler writes it
    private void answer() {
        if (begins && plan.percentiles()) {
            long now = System.nanoTime();
            roundTripNanos.recordValue(now - sentNanos);
            sentNanos = now;
        }
        if (plan.check()) {
            verify();
        }
        received++;
        qp.postRecv(recv.clear().sge(buffer));
        if (sent < plan.iters()) {
            post();
        }
    }

    private void post() {
        if (begins && plan.check()) {
            PingpongPayload.write(payload, sent);
        }
        send.clear().send().sge(buffer, payloadAt, plan.size()).signaled();
        if (ah != null) {
            send.to(ah, remoteQpn, QKEY);
        }
        qp.postSend(send);
        sent++;
    }

    private void verify() {
        if (!begins && received == 0) {
            peerIsOfC = PingpongPayload.isOfC(payload);
        }
        if (!peerIsOfC) {
            PingpongPayload.verify(payload, received);
        } else if (!PingpongPayload.isOfC(payload)) {
            throw new IllegalStateException("message " + received + " is not as the first one");
        }
    }

    /** In the order of the C programs: wait, arm, poll. It was armed before the first message. */
    private int awaitEvent() throws InterruptedException {
        int n;
        do {
            cq.getCqEvent().close();
            cq.reqNotify(false);
            n = cq.poll(batch);
        } while (n == 0);
        return n;
    }

    @SuppressWarnings("ThreadPriorityCheck") // two that poll must share a carrier if there is one
    private int pollUntilSome() throws InterruptedException {
        for (int n = cq.poll(batch); ; n = cq.poll(batch)) {
            if (n > 0) {
                return n;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            Thread.yield();
        }
    }

    @Override
    public void close() {
        qp.close();
        if (ah != null) {
            ah.close();
        }
        cq.close(CLOSE);
        buffer.close();
    }
}
