package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * One of the two ends: its queue pair, its memory, and the handler that plays.
 *
 * <p>As in the C programs, one buffer is received into and sent from, so that the server sends back
 * what it got; and the queue pair is set up with the same attributes.
 */
final class PingpongEnd implements AutoCloseable {
    /** Nothing arrives for so long only if a message was lost. */
    static final Duration SILENCE = Duration.ofSeconds(10);

    /** The room for a routing header in front of what a UD queue pair receives. */
    private static final int GRH_BYTES = 40;

    private static final int QKEY = 0x11111111;
    private static final int BATCH = 16;
    private static final int DIGITS = 3;
    private static final int BITS_24 = 1 << 24;

    // What the C programs set.
    private static final int MIN_RNR_TIMER = 12;
    private static final int TIMEOUT = 14;
    private static final int RETRIES = 7;

    private final PingpongPlan plan;
    private final boolean begins;
    private final int payloadAt;
    private final MemoryRegion buffer;
    private final MemorySegment payload;
    private final CompletionQueue cq;
    private final QueuePair qp;
    private final PingpongPeer here;
    private final WorkCompletions batch = WorkCompletions.allocate(BATCH);
    private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
    private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
    private final Histogram roundTripNanos = new Histogram(DIGITS);
    private @Nullable AddressHandle ah;
    private int remoteQpn;
    private int received;
    private int sent;
    private int sendsDone;
    private long sentNanos;
    private boolean peerIsOfC;

    /**
     * Makes it ready to receive, but for the connection.
     *
     * @param begins whether it sends the first message, as a client does
     */
    PingpongEnd(ProtectionDomain pd, PingpongPlan plan, boolean begins) {
        this.plan = plan;
        this.begins = begins;
        Context context = pd.context();
        payloadAt = plan.type() == QpType.UD ? GRH_BYTES : 0;
        buffer = pd.allocateMr((long) payloadAt + plan.size(), Access.LOCAL_WRITE);
        payload = buffer.memory().asSlice(payloadAt, plan.size());
        int cqe = plan.rxDepth() + BATCH;
        cq = plan.events() ? context.createDirectCq(cqe) : context.createCq(cqe, null, null, 0);
        qp = pd.createQp(QpConfig.of(plan.type(), cq).withWr(BATCH, plan.rxDepth()));
        qp.modify(toInit());
        for (int i = 0; i < plan.rxDepth(); i++) {
            qp.postRecv(recv.clear().sge(buffer));
        }
        if (plan.events()) {
            cq.reqNotify(false);
        }
        here =
                new PingpongPeer(
                        context.port(plan.ibPort()).lid(),
                        qp.qpNum(),
                        ThreadLocalRandom.current().nextInt(BITS_24),
                        plan.gid(context));
    }

    private QpAttributes toInit() {
        QpAttributes.Builder init =
                QpAttributes.builder().state(QpState.INIT).pkeyIndex(0).portNum(plan.ibPort());
        return (plan.type() == QpType.UD ? init.qkey(QKEY) : init.access()).build();
    }

    /** What the other end must be told. */
    PingpongPeer here() {
        return here;
    }

    Histogram roundTripNanos() {
        return roundTripNanos;
    }

    /** Connects it to the other end: it can receive when this returns. */
    void connect(PingpongPeer remote) {
        remoteQpn = remote.qpn();
        QpAttributes.Builder rtr = QpAttributes.builder().state(QpState.RTR);
        QpAttributes.Builder rts = QpAttributes.builder().state(QpState.RTS).sqPsn(here.psn());
        if (plan.type() != QpType.UD) {
            rtr.address(plan.addressOf(remote))
                    .pathMtu(plan.mtu())
                    .destQpNum(remote.qpn())
                    .rqPsn(remote.psn());
        }
        if (plan.type() == QpType.RC) {
            rtr.maxDestRdAtomic(1).minRnrTimer(MIN_RNR_TIMER);
            rts.timeout(TIMEOUT).retryCnt(RETRIES).rnrRetry(RETRIES).maxRdAtomic(1);
        }
        qp.modify(rtr.build());
        qp.modify(rts.build());
        if (plan.type() == QpType.UD) {
            ah = qp.pd().createAh(plan.addressOf(remote));
        }
    }

    /** Plays until the agreed number of messages has gone both ways. */
    void play() throws InterruptedException {
        if (begins) {
            post();
        }
        while (received < plan.iters() || sendsDone < plan.iters()) {
            int n = plan.events() ? awaitEvent() : pollUntilSome();
            for (int i = 0; i < n; i++) {
                if (!batch.isSuccess(i)) {
                    throw new IllegalStateException("a work request failed: " + batch.get(i));
                }
                if (batch.opcode(i) == WcOpcode.RECV) {
                    answer();
                } else {
                    sendsDone++;
                }
            }
        }
    }

    private void answer() {
        if (begins) {
            roundTripNanos.recordValue(System.nanoTime() - sentNanos);
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
        if (begins) {
            if (plan.check()) {
                PingpongPayload.write(payload, sent);
            }
            sentNanos = System.nanoTime();
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
            try (CqEvent event = cq.getCqEvent(SILENCE)) {
                if (event == null) {
                    throw silence();
                }
            }
            cq.reqNotify(false);
            n = cq.poll(batch);
        } while (n == 0);
        return n;
    }

    @SuppressWarnings("ThreadPriorityCheck") // two that poll must share a carrier if there is one
    private int pollUntilSome() {
        long start = System.nanoTime();
        for (int n = cq.poll(batch); ; n = cq.poll(batch)) {
            if (n > 0) {
                return n;
            }
            if (System.nanoTime() - start > SILENCE.toNanos()) {
                throw silence();
            }
            Thread.yield();
        }
    }

    private IllegalStateException silence() {
        return new IllegalStateException(
                "nothing has arrived for "
                        + SILENCE.toSeconds()
                        + " s after "
                        + received
                        + " messages"
                        + (plan.type() == QpType.RC ? "" : ": one was lost"));
    }

    @Override
    public void close() {
        qp.close();
        if (ah != null) {
            ah.close();
        }
        cq.close(SILENCE);
        buffer.close();
    }
}
