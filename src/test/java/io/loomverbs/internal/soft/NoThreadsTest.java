package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.FaultOps;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.event.HelperThreads;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No thread can be started for a while: no queue pair fails, and no request is forgotten. */
@Timeout(60)
class NoThreadsTest {
    private static final int RNR_10_MS = 20;
    private static final long MS = 1_000_000;

    private volatile boolean noThreads = true;

    private RetryTimer timer() {
        return new RetryTimer(
                task -> {
                    if (noThreads) {
                        throw new OutOfMemoryError("planted");
                    }
                    return HelperThreads.unstarted("retry of the test", task);
                });
    }

    private SoftFixture soft() {
        return new SoftFixture(new SoftDevice(SoftLimits.GENEROUS, timer()));
    }

    private static Peer[] pair(SoftFixture fixture) {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = fixture.peer(Ibv.QPT_RC).init();
        a.attr.rnrRetry = 1;
        b.attr.minRnrTimer = RNR_10_MS;
        SoftFixture.connect(a, b);
        return new Peer[] {a, b};
    }

    private static void isUnharmed(Peer peer) {
        assertThat(peer.state()).isEqualTo(Ibv.QPS_RTS);
        assertThat(peer.async).isEmpty();
    }

    @Test
    void aSendWaitsForItsReceive() {
        Peer[] ends = pair(soft());
        ends[0].send(ends[0].wr(1, Ibv.WR_SEND, 8));
        isUnharmed(ends[0]);
        ends[1].recv(7, 0, 8);
        assertThat(ends[0].send.poll()).extracting(Wc::status).containsExactly(Ibv.WC_SUCCESS);
        isUnharmed(ends[0]);
    }

    @Test
    void aSendWaitsForItsPeer() {
        SoftFixture fixture = soft();
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = fixture.peer(Ibv.QPT_RC).init();
        a.rtr(b.qp.qpNum()).rts();
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        isUnharmed(a);
        b.recv(7, 0, 8);
        b.rtr(a.qp.qpNum());
        assertThat(a.send.poll()).extracting(Wc::status).containsExactly(Ibv.WC_SUCCESS);
    }

    /** The next request sets the alarm that is missing. */
    @Test
    void retriesAreCountedOnceThereIsAThread() {
        Peer[] ends = pair(soft());
        ends[0].send(ends[0].wr(1, Ibv.WR_SEND, 8));
        noThreads = false;
        ends[0].send(ends[0].wr(2, Ibv.WR_SEND, 8));
        assertThat(ends[0].send.many(2))
                .extracting(Wc::status)
                .containsExactly(Ibv.WC_RNR_RETRY_EXC_ERR, Ibv.WC_WR_FLUSH_ERR);
    }

    /** A strict device does not try at once, but then it must not forget to try. */
    @Test
    void aReceiveSetsTheAlarmOfAStrictDevice() {
        SoftFixture fixture = new SoftFixture(SoftDevice.strict(SoftLimits.STRICT, timer()));
        Peer[] ends = pair(fixture);
        ends[0].send(ends[0].wr(1, Ibv.WR_SEND, 8));
        isUnharmed(ends[0]);
        noThreads = false;
        ends[1].recv(7, 0, 8);
        assertThat(ends[0].send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
    }

    @Test
    void aDelayedRequestIsExecutedOnceThereIsAThread() {
        SoftFixture fixture = soft();
        Peer[] ends = pair(fixture);
        FaultOps faults = fixture.context.faults();
        faults.delay(number -> 5 * MS);
        ends[0].send(ends[0].rdma(1, Ibv.WR_RDMA_WRITE, 8, ends[1]));
        isUnharmed(ends[0]);
        noThreads = false;
        ends[0].send(ends[0].rdma(2, Ibv.WR_RDMA_WRITE, 8, ends[1]));
        assertThat(ends[0].send.many(2)).extracting(Wc::wrId).containsExactly(1L, 2L);
    }
}
