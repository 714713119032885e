package io.loomverbs.blocking;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.event.Patience;

/**
 * Requests over a queue pair of soft0 that is connected to itself. Its sends are done when receives
 * are posted, by hand.
 */
final class SelfLink {
    private static final Context CONTEXT = Verbs.device("soft0").open();
    private static final ProtectionDomain PD = CONTEXT.allocPd();
    private static final MemoryRegion MEMORY = PD.allocateMr(64, Access.LOCAL_WRITE);
    private static final int DEPTH = 4;

    final Buffer message = Buffer.of(MEMORY, 0, 8);
    private final CompletionQueue cq = CONTEXT.createDirectCq(DEPTH);
    private final CompletionQueue received = CONTEXT.createCq(DEPTH, null, null, 0);
    private final QueuePair qp;
    final Requests requests;

    /** With this many places in the send queue. */
    SelfLink(int places) {
        qp = PD.createQp(QpConfig.of(QpType.RC, cq, received).withWr(places, DEPTH));
        qp.connect(qp.endpoint());
        requests = Requests.over(qp, RequestsConfig.of().withTimeout(Patience.time()));
    }

    static BufferPool pool(int buffers) {
        return BufferPool.of(PD, 8, buffers);
    }

    static CompletionQueue direct() {
        return CONTEXT.createDirectCq(DEPTH);
    }

    static QueuePair queuePair(CompletionQueue sends, CompletionQueue receives) {
        return PD.createQp(QpConfig.of(QpType.RC, sends, receives).withWr(DEPTH, DEPTH));
    }

    /** One send can be done. */
    void receiveOne() {
        qp.postRecv(RecvWorkRequest.allocate(1).sge(MEMORY, 32, 8));
    }

    /** How many sends have arrived; waits for at least so many. */
    int received(int least) {
        WorkCompletions batch = WorkCompletions.allocate(DEPTH);
        long end = System.nanoTime() + Patience.nanos();
        int n = received.poll(batch);
        while (n < least && System.nanoTime() < end) {
            n += received.poll(batch);
        }
        return n;
    }

    void fail() {
        qp.modify(QpAttributes.builder().state(QpState.ERR).build());
    }

    /** Sends, and says how that ended. */
    String send() {
        try {
            requests.send(message);
            return "sent";
        } catch (RequestFailedException e) {
            return "failed";
        } catch (RequestTimeoutException | InterruptedException e) {
            return "stuck";
        }
    }

    void close() {
        requests.close();
        qp.close();
        cq.close();
        received.close();
    }
}
