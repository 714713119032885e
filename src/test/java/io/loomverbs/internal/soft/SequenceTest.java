package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** Packets, their numbers and sizes, and two ends that do not agree on them. */
class SequenceTest {
    private static final int TIMEOUT_4_MS = 10;
    private static final long MS = 1_000_000;
    private static final int MTU_1024 = 3;
    private static final int MTU_4096 = 5;

    private final SoftFixture fixture = new SoftFixture();
    private final Peer a = fixture.peer(Ibv.QPT_RC).init();
    private final Peer b = fixture.peer(Ibv.QPT_RC).init();

    private static QpAttr query(Peer peer) {
        QpAttr attr = new QpAttr();
        assertThat(peer.qp.query(attr)).isZero();
        return attr;
    }

    /** From a to b; the other way the numbers agree. */
    private void connect(int sqPsn, int rqPsn) {
        a.attr.sqPsn = sqPsn;
        b.attr.rqPsn = rqPsn;
        SoftFixture.connect(a, b);
    }

    @ParameterizedTest
    @CsvSource({
        "2, 0, 1",
        "2, 1, 1",
        "2, 4096, 1",
        "2, 4097, 2",
        "2, 12288, 3", // SEND
        "0, 12289, 4",
        "4, 12289, 4",
        "5, 8, 1",
        "6, 16, 1" // WRITE, READ, atomics
    })
    void requestsCountInPackets(int opcode, int length, int packets) {
        connect(0xff_ffff, 0xff_ffff);
        b.recv(7, 0, 16384);

        a.send(
                opcode == Ibv.WR_ATOMIC_CMP_AND_SWP || opcode == Ibv.WR_ATOMIC_FETCH_AND_ADD
                        ? atomicOver(opcode, length)
                        : a.rdma(1, opcode, length, b));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(query(a).sqPsn).isEqualTo(packets - 1);
        assertThat(query(b).rqPsn).isEqualTo(packets - 1);
        assertThat(query(b).sqPsn).isZero();
        assertThat(query(a).rqPsn).isZero();
    }

    private SendWr atomicOver(int opcode, int length) {
        var wr = a.atomic(1, opcode, b, 0, 0);
        wr.sge(0, a.memory.address(), length, a.mr.lkey());
        return wr;
    }

    @Test
    void aRequestThatHasToWaitKeepsItsNumber() {
        b.attr.minRnrTimer = 1;
        connect(5, 5);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThat(query(a).sqPsn).isEqualTo(5);
        assertThat(query(b).rqPsn).isEqualTo(5);

        b.recv(7, 0, 8);

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(query(a).sqPsn).isEqualTo(6);
        assertThat(query(b).rqPsn).isEqualTo(6);
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "8388607, 0", "0, 16777215", "100, 99"})
    void aSenderThatIsAheadRetriesAndGivesUp(int sqPsn, int rqPsn) {
        a.attr.timeout = TIMEOUT_4_MS;
        a.attr.retryCnt = 3;
        connect(sqPsn, rqPsn);
        b.recv(7, 0, 8);
        long start = System.nanoTime();

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);
        assertThat(System.nanoTime() - start).isBetween(12 * MS, 20_000 * MS);
        assertThat(a.state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
        assertThat(b.recv.poll()).isEmpty();
    }

    /** The complaint of the responder is a retry; without any left it is the end. */
    @Test
    void aSenderThatIsAheadAndMayNotRetryGivesUpAtOnce() {
        a.attr.timeout = 0;
        a.attr.retryCnt = 0;
        connect(1, 0);

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        assertThat(a.send.poll()).extracting(Wc::status).containsExactly(Ibv.WC_RETRY_EXC_ERR);
    }

    /** Told once; what is sent then is dropped, and without a timeout not sent again. */
    @Test
    void aSenderThatIsAheadWithoutATimeoutWaits() throws InterruptedException {
        a.attr.timeout = 0;
        a.attr.retryCnt = 7;
        connect(1, 0);

        a.send(a.wr(1, Ibv.WR_SEND, 8));
        Thread.sleep(20);

        assertThat(a.send.poll()).isEmpty();
    }

    @Test
    void aSenderThatIsBehindIsAcknowledgedButNotHeard() {
        connect(0xff_fffe, 0);
        b.recv(7, 0, 8);
        b.recv(8, 0, 8);
        a.memory.fill((byte) 1);
        b.memory.fill((byte) 2);

        a.send(a.wr(1, Ibv.WR_SEND, 8));
        a.send(a.rdma(2, Ibv.WR_RDMA_WRITE_WITH_IMM, 8, b));

        assertThat(a.send.poll())
                .extracting(Wc::status)
                .containsExactly(Ibv.WC_SUCCESS, Ibv.WC_SUCCESS);
        assertThat(b.recv.poll()).isEmpty();
        assertThat(b.memory.get(JAVA_BYTE, 0)).isEqualTo((byte) 2);
        assertThat(query(b).rqPsn).isZero();

        a.send(a.wr(3, Ibv.WR_SEND, 8)); // has come up with the responder

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(b.recv.poll()).extracting(Wc::wrId).containsExactly(7L);
    }

    @Test
    void aMessageWhoseFirstPacketsAreBehindIsInvalid() {
        connect(0, 1);
        b.recv(7, 0, 16384);

        a.send(a.wr(1, Ibv.WR_SEND, 4097));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_REM_INV_REQ_ERR);
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_WR_FLUSH_ERR);
        assertThat(b.async).containsExactly(Ibv.EVENT_QP_REQ_ERR);
    }

    /** The number of a READ or an atomic that the responder does not remember. */
    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_RDMA_READ, Ibv.WR_ATOMIC_FETCH_AND_ADD})
    void aRepetitionOfNothingIsNotAnswered(int opcode) {
        a.attr.timeout = 1;
        connect(0, 9);

        a.send(fetch(1, opcode, 8));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);
        assertThat(b.memory.get(JAVA_LONG, 0)).isZero();
        assertThat(b.async).isEmpty();
    }

    private SendWr fetch(long wrId, int opcode, int length) {
        return opcode == Ibv.WR_RDMA_READ
                ? a.rdma(wrId, opcode, length, b)
                : a.atomic(wrId, opcode, b, 1, 0);
    }

    private void repeatFrom(int sqPsn) {
        assertThat(a.modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isZero();
        a.attr.sqPsn = sqPsn;
        a.init().rtr(b.qp.qpNum()).rts();
    }

    /** Only an end that begins anew can do that: the responder cannot tell. */
    @Test
    void anAtomicThatSeemsRepeatedGetsItsOldResult() {
        b.attr.maxDestRdAtomic = 2;
        connect(5, 5);
        for (int i = 0; i < 3; i++) {
            a.send(fetch(i, Ibv.WR_ATOMIC_FETCH_AND_ADD, 8));
            assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        }
        repeatFrom(6);

        a.send(fetch(4, Ibv.WR_ATOMIC_FETCH_AND_ADD, 8));
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(a.memory.get(JAVA_LONG, 0)).isEqualTo(1);
        assertThat(b.memory.get(JAVA_LONG, 0)).isEqualTo(3);

        a.send(fetch(5, Ibv.WR_ATOMIC_CMP_AND_SWP, 8)); // another kind has that number
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);
        repeatFrom(5); // the oldest, of which there is no memory
        a.send(fetch(6, Ibv.WR_ATOMIC_FETCH_AND_ADD, 8));
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_RETRY_EXC_ERR);
        assertThat(b.memory.get(JAVA_LONG, 0)).isEqualTo(3);
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
    }

    /** The same READ, or a part of it, is read once more; another is dropped. */
    @ParameterizedTest
    @CsvSource({
        "5, 0, 4097, true", "5, 8, 4089, true", "6, 4096, 1, true",
        "5, 0, 4098, false", "5, -1, 8, false", "7, 0, 8, false"
    })
    void aReadThatSeemsRepeatedIsReadOnceMore(int psn, int offset, int length, boolean answered) {
        a.attr.timeout = 1;
        connect(5, 5);
        a.send(fetch(1, Ibv.WR_RDMA_READ, 4097));
        a.send(a.rdma(2, Ibv.WR_RDMA_WRITE, 0, b)); // so that none of these numbers is the next
        repeatFrom(psn);
        b.memory.fill((byte) 2);
        SendWr again = a.rdma(3, Ibv.WR_RDMA_READ, length, b);
        again.rdma(b.memory.address() + offset, b.mr.rkey());

        a.send(again);

        assertThat(a.send.many(3).getLast().status())
                .isEqualTo(answered ? Ibv.WC_SUCCESS : Ibv.WC_RETRY_EXC_ERR);
        assertThat(a.memory.get(JAVA_BYTE, 0)).isEqualTo((byte) (answered ? 2 : 0));
    }

    @Test
    void aReadThatWasForgottenIsNotAnswered() {
        a.attr.timeout = 1;
        connect(5, 5);
        a.send(fetch(1, Ibv.WR_RDMA_READ, 8));
        a.send(fetch(2, Ibv.WR_RDMA_READ, 8)); // takes the only place
        repeatFrom(5);

        a.send(fetch(3, Ibv.WR_RDMA_READ, 8));

        assertThat(a.send.many(3))
                .extracting(Wc::status)
                .containsExactly(Ibv.WC_SUCCESS, Ibv.WC_SUCCESS, Ibv.WC_RETRY_EXC_ERR);
    }

    /** A responder that has answered counts on, whether the answer was of use or not. */
    @ParameterizedTest
    @ValueSource(ints = {MTU_1024, MTU_4096})
    void anAnswerCountsAlsoIfTheRequesterCannotTakeIt(int mtu) {
        b.attr.pathMtu = mtu;
        connect(5, 5);

        a.send(fetch(1, Ibv.WR_RDMA_READ, 4097));

        assertThat(a.send.one().status())
                .isEqualTo(mtu == MTU_4096 ? Ibv.WC_SUCCESS : Ibv.WC_BAD_RESP_ERR);
        assertThat(query(b).rqPsn).isEqualTo(mtu == MTU_4096 ? 7 : 10);
    }

    /**
     * However a request has to wait, for its peer, for a buffer or after a complaint, it is
     * executed once: no answer is ever lost.
     */
    @ParameterizedTest
    @CsvSource({"false", "true"})
    void noRequestIsExecutedTwice(boolean behindAStall) {
        a.attr.timeout = 1;
        a.attr.retryCnt = 7;
        a.rtr(b.qp.qpNum()).rts();
        if (behindAStall) {
            a.send(a.rdma(1, Ibv.WR_RDMA_WRITE_WITH_IMM, 8, b));
        }
        a.send(a.atomic(2, Ibv.WR_ATOMIC_FETCH_AND_ADD, b, 1, 0));
        a.attr.timeout = 8;
        b.rtr(a.qp.qpNum()).rts();
        if (behindAStall) {
            b.recv(7, 64, 8);
        }

        assertThat(a.send.many(behindAStall ? 2 : 1))
                .extracting(Wc::status)
                .containsOnly(Ibv.WC_SUCCESS);
        assertThat(a.memory.get(JAVA_LONG, 0)).isZero();
        assertThat(b.memory.get(JAVA_LONG, 0)).isEqualTo(1);
        assertThat(query(a).sqPsn).isEqualTo(query(b).rqPsn);
    }

    /** One end begins anew, and the other does not know. */
    @Test
    void anEndThatReconnectsAloneIsNotHeard() {
        connect(5, 5);
        b.recv(7, 0, 8);
        b.recv(8, 0, 8);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);

        assertThat(a.modify(Ibv.QPS_RESET, Ibv.QP_STATE)).isZero();
        a.init().rtr(b.qp.qpNum()).rts();
        a.send(a.wr(2, Ibv.WR_SEND, 8));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(b.recv.poll()).extracting(Wc::wrId).containsExactly(7L);
    }

    /** An unreliable connection takes up again with the next message. */
    @ParameterizedTest
    @CsvSource({"9, 0", "0, 9"})
    void unreliableMessagesAreTakenWhateverTheirNumber(int sqPsn, int rqPsn) {
        Peer from = fixture.peer(Ibv.QPT_UC).init();
        Peer to = fixture.peer(Ibv.QPT_UC).init();
        from.attr.sqPsn = sqPsn;
        to.attr.rqPsn = rqPsn;
        SoftFixture.connect(from, to);
        to.recv(7, 0, 8192);

        from.send(from.wr(1, Ibv.WR_SEND, 4097));

        assertThat(from.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(to.recv.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(query(from).sqPsn).isEqualTo(sqPsn + 2);
        assertThat(query(to).rqPsn).isEqualTo(sqPsn + 2);
    }

    /** Fits: one packet that both take for one. */
    @ParameterizedTest
    @CsvSource({
        "5, 3, 1024, true", "5, 3, 1025, false", "5, 3, 8192, false",
        "3, 5, 1024, true", "3, 5, 1025, false", "3, 3, 1025, true"
    })
    void packetsMustHaveTheSizeThatTheReceiverExpects(int from, int to, int length, boolean fit) {
        a.attr.pathMtu = from;
        b.attr.pathMtu = to;
        SoftFixture.connect(a, b);
        b.recv(7, 0, 8192);

        a.send(a.wr(1, Ibv.WR_SEND, length));

        if (fit) {
            assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
            assertThat(b.recv.one().byteLen()).isEqualTo(length);
        } else {
            assertThat(a.send.one().status()).isEqualTo(Ibv.WC_REM_INV_REQ_ERR);
            assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_WR_FLUSH_ERR);
            assertThat(b.state()).isEqualTo(Ibv.QPS_ERR);
            assertThat(b.async).containsExactly(Ibv.EVENT_QP_REQ_ERR);
        }
    }

    @Test
    void writesOfAnotherSizeWriteNothing() {
        b.attr.pathMtu = MTU_1024;
        SoftFixture.connect(a, b);
        a.memory.fill((byte) 1);

        a.send(a.rdma(1, Ibv.WR_RDMA_WRITE, 1025, b));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_REM_INV_REQ_ERR);
        assertThat(b.memory.get(JAVA_BYTE, 0)).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {MTU_1024, MTU_4096})
    void responsesOfAnotherSizeAreBad(int mtu) {
        a.attr.pathMtu = mtu;
        b.attr.pathMtu = MTU_1024 + MTU_4096 - mtu;
        SoftFixture.connect(a, b);

        a.send(a.rdma(1, Ibv.WR_RDMA_READ, 1024, b));
        a.send(a.rdma(2, Ibv.WR_RDMA_READ, 1025, b));

        assertThat(a.send.many(2))
                .extracting(Wc::status)
                .containsExactly(Ibv.WC_SUCCESS, Ibv.WC_BAD_RESP_ERR);
    }

    @Test
    void unreliablePacketsOfAnotherSizeAreDropped() {
        Peer from = fixture.peer(Ibv.QPT_UC).init();
        Peer to = fixture.peer(Ibv.QPT_UC).init();
        to.attr.pathMtu = MTU_1024;
        SoftFixture.connect(from, to);
        to.recv(7, 0, 8192);

        from.send(from.wr(1, Ibv.WR_SEND, 1025));
        from.send(from.rdma(2, Ibv.WR_RDMA_WRITE_WITH_IMM, 1025, to));
        from.send(from.wr(3, Ibv.WR_SEND, 1024));

        assertThat(from.send.many(3)).extracting(Wc::status).containsOnly(Ibv.WC_SUCCESS);
        assertThat(to.recv.poll()).extracting(Wc::byteLen).containsExactly(1024);
    }

    private static AhAttr to(int lid) {
        return new AhAttr(0, 0, false, 0, 0, 0, 0, lid, 0, 1);
    }

    private static AhAttr to(long gidLow, int lid) {
        return new AhAttr(SoftPort.GID_HIGH, gidLow, true, 0, 0, 1, 0, lid, 0, 1);
    }

    private static final List<AhAttr> NOWHERE =
            List.of(
                    to(0),
                    to(SoftPort.LID + 1),
                    to(SoftPort.GUID + 1, SoftPort.LID),
                    to(SoftPort.GUID, SoftPort.LID + 1));

    @Test
    void anAddressOfNobodyIsAnsweredByNobody() {
        for (AhAttr nowhere : NOWHERE) {
            for (boolean there : new boolean[] {true, false}) {
                Peer[] rc = unequal(Ibv.QPT_RC, nowhere, there);
                rc[0].send(rc[0].wr(1, Ibv.WR_SEND, 8));
                assertThat(rc[0].send.one().status())
                        .as("%s", nowhere)
                        .isEqualTo(Ibv.WC_RETRY_EXC_ERR);
                assertThat(rc[1].recv.poll()).isEmpty();
            }
        }
    }

    @Test
    void anAddressOfNobodyLosesUnreliableMessages() {
        for (AhAttr nowhere : NOWHERE) {
            for (boolean there : new boolean[] {true, false}) {
                Peer[] uc = unequal(Ibv.QPT_UC, nowhere, there);
                uc[0].send(uc[0].wr(1, Ibv.WR_SEND, 8));
                assertThat(uc[0].send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
                assertThat(uc[1].recv.poll()).as("%s", nowhere).isEmpty();
            }
        }
    }

    /** The address is wrong there, or on the way back, from where no packets are expected then. */
    private Peer[] unequal(int type, AhAttr nowhere, boolean there) {
        Peer from = fixture.peer(type).init();
        Peer to = fixture.peer(type).init();
        from.attr.timeout = 1;
        (there ? from : to).attr.av = nowhere;
        SoftFixture.connect(from, to);
        to.recv(7, 0, 8);
        return new Peer[] {from, to};
    }

    @Test
    void theRightAddressMayHaveAGid() {
        for (AhAttr right :
                List.of(to(SoftPort.GUID, SoftPort.LID), to(SoftPort.GUID, 0), to(SoftPort.LID))) {
            Peer[] rc = unequal(Ibv.QPT_RC, right, true);
            rc[0].send(rc[0].wr(1, Ibv.WR_SEND, 8));
            assertThat(rc[0].send.one().status()).as("%s", right).isEqualTo(Ibv.WC_SUCCESS);
        }
    }
}
