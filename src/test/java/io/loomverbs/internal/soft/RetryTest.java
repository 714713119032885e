package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Peers that have no buffer, or do not answer. */
class RetryTest {
    private static final int RNR_10_MS = 20;
    private static final int TIMEOUT_4_MS = 10;
    private static final long MS = 1_000_000;

    private final SoftFixture fixture = new SoftFixture();
    private final Peer a = fixture.peer(Ibv.QPT_RC).init();
    private final Peer b = fixture.peer(Ibv.QPT_RC).init();

    @ParameterizedTest
    @CsvSource({"0, 655360", "1, 10", "2, 20", "13, 960", "20, 10240", "31, 491520"})
    void theCodesOfRnrTimersStandForTheseMicroseconds(int code, long micros) {
        assertThat(Timeouts.rnrNanos(code)).isEqualTo(micros * 1000);
    }

    @Test
    void theCodesOfTimeoutsArePowersOfTwo() {
        assertThat(Timeouts.responseNanos(0)).isZero();
        assertThat(Timeouts.responseNanos(14)).isEqualTo(67_108_864L);
        assertThat(Timeouts.responseNanos(31)).isEqualTo(8_796_093_022_208L);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_SEND, Ibv.WR_RDMA_WRITE_WITH_IMM})
    void noBufferIsAnErrorAfterSoManyRetries(int opcode) {
        a.attr.rnrRetry = 2;
        b.attr.minRnrTimer = RNR_10_MS;
        SoftFixture.connect(a, b);
        long start = System.nanoTime();

        a.send(a.rdma(1, opcode, 8, b));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RNR_RETRY_EXC_ERR);
        assertThat(System.nanoTime() - start).isBetween(20 * MS, 20_000 * MS);
        assertThat(a.state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
    }

    @Test
    void noRetriesMeansAtOnce() {
        a.attr.rnrRetry = 0;
        b.attr.minRnrTimer = 0;
        SoftFixture.connect(a, b);

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        assertThat(a.send.poll()).extracting(Wc::status).containsExactly(Ibv.WC_RNR_RETRY_EXC_ERR);
    }

    @Test
    void sevenRetriesAreForEver() throws InterruptedException {
        a.attr.rnrRetry = 7;
        b.attr.minRnrTimer = 1;
        SoftFixture.connect(a, b);
        a.send(a.wr(1, Ibv.WR_SEND, 8));

        Thread.sleep(50);

        assertThat(a.send.poll()).isEmpty();
        b.recv(7, 0, 8);
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
    }

    /** The sender reads its memory before anything is sent. */
    @Test
    @SuppressWarnings("MustBeClosedChecker") // closed early: that is what is tried
    void aClosedArenaIsFoundBeforeTheWantOfABuffer() {
        SoftFixture.connect(a, b);
        Arena arena = Arena.ofShared();
        MemorySegment memory = arena.allocate(8);
        MrOps mr = fixture.pd.regMr(memory, Ibv.ACCESS_LOCAL_WRITE);
        SendWr wr = a.wr(1, Ibv.WR_SEND, 8);
        wr.sge(0, memory.address(), 8, mr.lkey());
        arena.close();

        a.send(wr);

        assertThat(a.send.poll()).extracting(Wc::status).containsExactly(Ibv.WC_LOC_PROT_ERR);
    }

    @Test
    void aBufferEndsTheWaitAtOnce() {
        b.attr.minRnrTimer = 0;
        SoftFixture.connect(a, b);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        a.send(a.wr(2, Ibv.WR_SEND, 8));
        assertThat(a.send.poll()).isEmpty();

        b.recv(7, 0, 8);
        assertThat(a.send.poll()).extracting(Wc::wrId).containsExactly(1L);
        b.recv(8, 0, 8);
        assertThat(a.send.poll()).extracting(Wc::wrId).containsExactly(2L);
        assertThat(b.recv.poll()).extracting(Wc::wrId).containsExactly(7L, 8L);
    }

    @Test
    void whoGoesOnAfterAWaitHasAllRetriesAgain() {
        a.attr.rnrRetry = 1;
        b.attr.minRnrTimer = 0; // the longest: a buffer ends the wait, not the timer
        SoftFixture.connect(a, b);
        for (int i = 0; i < 5; i++) {
            a.send(a.wr(i, Ibv.WR_SEND, 8));
            b.recv(i, 0, 8);
            assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        }
    }

    @Test
    void noAnswerIsAnErrorAfterSoManyTimeouts() {
        a.attr.timeout = TIMEOUT_4_MS;
        a.attr.retryCnt = 3;
        a.rtr(b.qp.qpNum()).rts();
        long start = System.nanoTime();

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);
        assertThat(System.nanoTime() - start).isBetween(16 * MS, 20_000 * MS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"absent", "destroyed", "error", "reset", "of another", "of a type"})
    void whoIsNotConnectedToUsDoesNotAnswer(String how) {
        a.attr.timeout = 1;
        Peer c = fixture.peer(Ibv.QPT_RC).init();
        int dest = b.qp.qpNum();
        switch (how) {
            case "absent" -> dest = 5;
            case "destroyed" -> {
                b.rtr(a.qp.qpNum()).rts();
                b.qp.destroy();
            }
            case "error" -> b.rtr(a.qp.qpNum()).error();
            case "reset" -> b.rtr(a.qp.qpNum()).modify(Ibv.QPS_RESET, Ibv.QP_STATE);
            case "of another" -> b.rtr(c.qp.qpNum()).rts();
            default -> {
                Peer uc = fixture.peer(Ibv.QPT_UC).init().rtr(a.qp.qpNum()).rts();
                dest = uc.qp.qpNum();
            }
        }
        a.rtr(dest).rts();

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);
    }

    @Test
    void aStaleNumberIsNoticed() {
        a.attr.timeout = 1;
        int stale = b.qp.qpNum();
        b.qp.destroy();
        Peer c = fixture.peer(Ibv.QPT_RC).init().rtr(a.qp.qpNum()).rts();
        assertThat(c.qp.qpNum()).isNotEqualTo(stale);
        assertThat(c.qp.qpNum() >>> 5).isEqualTo(stale >>> 5);
        a.rtr(stale).rts();

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);
    }

    /** Nothing is sent again: the request stays, and what is behind it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 7})
    void timeoutZeroIsNoRetransmission(int retries) throws InterruptedException {
        a.attr.timeout = 0;
        a.attr.retryCnt = retries;
        a.rtr(b.qp.qpNum()).rts();
        b.recv(7, 0, 8);
        b.recv(8, 0, 8);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        b.rtr(a.qp.qpNum()).rts();
        a.send(a.wr(2, Ibv.WR_SEND, 8));
        Thread.sleep(20);
        assertThat(a.send.poll()).isEmpty();
        assertThat(b.recv.poll()).isEmpty();

        a.error();

        assertThat(a.send.many(2))
                .extracting(Wc::status)
                .containsExactly(Ibv.WC_WR_FLUSH_ERR, Ibv.WC_WR_FLUSH_ERR);
        assertThat(b.recv.poll()).isEmpty();
    }

    /** A wait for a buffer has a timer of its own, of the peer. */
    @Test
    void timeoutZeroDoesNotKeepAWaitForABufferFromItsEnd() {
        a.attr.timeout = 0;
        b.attr.minRnrTimer = RNR_10_MS;
        SoftFixture.connect(a, b);
        a.send(a.wr(1, Ibv.WR_SEND, 8));

        b.recv(7, 0, 8);

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
    }

    @Test
    void aPeerThatBecomesReadyIsTriedAtOnce() {
        a.attr.timeout = 31;
        a.rtr(b.qp.qpNum()).rts();
        b.recv(7, 0, 8);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThat(a.send.poll()).isEmpty();

        b.rtr(a.qp.qpNum());

        assertThat(a.send.poll()).extracting(Wc::status).containsExactly(Ibv.WC_SUCCESS);
    }

    @Test
    void aPeerThatDisappearsDuringAWaitForABufferIsMissed() {
        a.attr.timeout = 1;
        b.attr.minRnrTimer = RNR_10_MS;
        SoftFixture.connect(a, b);
        a.send(a.wr(1, Ibv.WR_SEND, 8));

        assertThat(b.qp.destroy()).isZero();

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);
    }

    @Test
    void aDestroyedQueuePairLeavesNoAlarmBehind() {
        a.attr.timeout = 31;
        a.rtr(b.qp.qpNum()).rts();
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThat(fixture.device.timer.waiting()).isEqualTo(1);

        assertThat(a.qp.destroy()).isZero();

        assertThat(fixture.device.timer.waiting()).isZero();
        assertThat(a.send.poll()).isEmpty();
    }
}
