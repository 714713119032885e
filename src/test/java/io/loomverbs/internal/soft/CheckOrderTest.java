package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests with several faults: which of them a responder finds first. */
class CheckOrderTest {
    private static final int MTU_1024 = 3;
    private static final int ONE_PACKET = 2048;
    private static final int TWO_PACKETS = 8192;

    private final SoftFixture fixture = new SoftFixture();
    private final SrqOps srq = fixture.pd.createSrq(new SrqAttr(4, 4, 0), type -> {});
    private final Peer a = fixture.peer(Ibv.QPT_RC).init();
    private Peer b = fixture.peer(Ibv.QPT_RC).init();

    private void connect() {
        a.attr.rnrRetry = 1;
        SoftFixture.connect(a, b);
    }

    private SendWr badKey(int opcode, int length, long offset) {
        SendWr wr = a.wr(1, opcode, length);
        if (opcode == Ibv.WR_ATOMIC_CMP_AND_SWP || opcode == Ibv.WR_ATOMIC_FETCH_AND_ADD) {
            wr.atomic(b.memory.address() + offset, b.mr.rkey() + 1, 0, 1);
        } else {
            wr.rdma(b.memory.address() + offset, b.mr.rkey() + 1);
        }
        return wr;
    }

    private void endsWith(int status) {
        assertThat(a.send.one().status()).isEqualTo(status);
        assertThat(a.state()).isEqualTo(Ibv.QPS_ERR);
    }

    private void receiverFails(Integer... events) {
        assertThat(b.async).containsExactly(events);
        assertThat(b.state()).isEqualTo(Ibv.QPS_ERR);
    }

    private void receiverIsUnharmed() {
        assertThat(b.async).isEmpty();
        assertThat(b.recv.poll()).isEmpty();
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
    }

    /** What the queue pair does not allow, before all else. */
    @ParameterizedTest
    @ValueSource(ints = {ONE_PACKET, TWO_PACKETS})
    void whetherAWriteIsAllowedComesFirst(int length) {
        b.attr.qpAccessFlags = 0;
        b.attr.pathMtu = MTU_1024;
        b.init();
        connect();

        a.send(badKey(Ibv.WR_RDMA_WRITE_WITH_IMM, length, 0));

        endsWith(Ibv.WC_REM_INV_REQ_ERR);
        receiverFails(Ibv.EVENT_QP_REQ_ERR);
    }

    /** The only packet of a WRITE with immediate needs its buffer before its size matters. */
    @Test
    void theBufferOfOnePacketComesBeforeItsSizeAndKey() {
        b.attr.pathMtu = MTU_1024;
        connect();

        a.send(badKey(Ibv.WR_RDMA_WRITE_WITH_IMM, ONE_PACKET, 0));

        endsWith(Ibv.WC_RNR_RETRY_EXC_ERR);
        receiverIsUnharmed();
    }

    /** Of several packets only the last needs it, and the first is refused. */
    @Test
    void theSizeOfAFirstPacketComesBeforeTheBuffer() {
        b.attr.pathMtu = MTU_1024;
        connect();

        a.send(badKey(Ibv.WR_RDMA_WRITE_WITH_IMM, TWO_PACKETS, 0));

        endsWith(Ibv.WC_REM_INV_REQ_ERR);
        receiverFails(Ibv.EVENT_QP_REQ_ERR);
    }

    @Test
    void theKeyOfAFirstPacketComesBeforeTheBuffer() {
        connect();

        a.send(badKey(Ibv.WR_RDMA_WRITE_WITH_IMM, TWO_PACKETS, 0));

        endsWith(Ibv.WC_REM_ACCESS_ERR);
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR);
    }

    /** A WRITE without immediate needs no buffer. */
    @ParameterizedTest
    @ValueSource(ints = {ONE_PACKET, TWO_PACKETS})
    void theSizeOfPacketsComesBeforeTheKey(int length) {
        b.attr.pathMtu = MTU_1024;
        connect();

        a.send(badKey(Ibv.WR_RDMA_WRITE, length, 0));

        endsWith(Ibv.WC_REM_INV_REQ_ERR);
        receiverFails(Ibv.EVENT_QP_REQ_ERR);
    }

    @ParameterizedTest
    @ValueSource(ints = {ONE_PACKET, TWO_PACKETS})
    void theBufferOfASendComesBeforeTheSizeOfItsPackets(int length) {
        b.attr.pathMtu = MTU_1024;
        connect();

        a.send(a.wr(1, Ibv.WR_SEND, length));

        endsWith(Ibv.WC_RNR_RETRY_EXC_ERR);
        receiverIsUnharmed();
    }

    /** Too long and of a wrong size: the receive request is flushed, as nothing came into it. */
    @Test
    void theSizeOfPacketsComesBeforeTheSizeOfTheBuffer() {
        b.attr.pathMtu = MTU_1024;
        connect();
        b.recv(7, 0, 8);

        a.send(a.wr(1, Ibv.WR_SEND, ONE_PACKET));

        endsWith(Ibv.WC_REM_INV_REQ_ERR);
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_WR_FLUSH_ERR);
        receiverFails(Ibv.EVENT_QP_REQ_ERR);
    }

    /** The responder looks at key and range; what it then sends, the requester cannot take. */
    @Test
    void theKeyOfAReadComesBeforeTheSizeOfItsAnswer() {
        b.attr.pathMtu = MTU_1024;
        connect();

        a.send(badKey(Ibv.WR_RDMA_READ, TWO_PACKETS, 0));

        endsWith(Ibv.WC_REM_ACCESS_ERR);
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_ATOMIC_CMP_AND_SWP, Ibv.WR_ATOMIC_FETCH_AND_ADD})
    void theKeyOfAnAtomicComesBeforeItsAlignment(int opcode) {
        connect();

        a.send(badKey(opcode, 8, 4));

        endsWith(Ibv.WC_REM_ACCESS_ERR);
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_RDMA_READ, Ibv.WR_ATOMIC_FETCH_AND_ADD})
    void resourcesComeBeforeTheKey(int opcode) {
        b.attr.maxDestRdAtomic = 0;
        connect();

        a.send(badKey(opcode, 8, 4));

        endsWith(Ibv.WC_REM_INV_REQ_ERR);
        receiverFails(Ibv.EVENT_QP_REQ_ERR);
    }

    /** The first packet names the whole range, so nothing is written if it does not fit. */
    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC})
    void aWriteThatLeavesItsRegionWritesNothing(int type) {
        Peer[] p = fixture.pair(type);
        p[0].memory.fill((byte) 1);
        SendWr wr = p[0].rdma(1, Ibv.WR_RDMA_WRITE, 8, p[1]);
        wr.sge(1, p[0].memory.address() + 64, 8, p[0].mr.lkey());
        wr.numSge(2);
        wr.rdma(p[1].memory.address() + p[1].memory.byteSize() - 12, p[1].mr.rkey());

        p[0].send(wr);

        assertThat(p[0].send.one().status())
                .isEqualTo(type == Ibv.QPT_RC ? Ibv.WC_REM_ACCESS_ERR : Ibv.WC_SUCCESS);
        for (long at = p[1].memory.byteSize() - 12; at < p[1].memory.byteSize(); at++) {
            assertThat(p[1].memory.get(JAVA_BYTE, at)).isZero();
        }
    }

    /** What a packet took from a shared queue before it was refused goes with the queue pair. */
    @ParameterizedTest
    @CsvSource({ONE_PACKET + ", true", TWO_PACKETS + ", false"})
    void aRefusedMessageUsesASharedRequestIfItHadTakenIt(int length, boolean taken) {
        b = fixture.peer(Ibv.QPT_RC, srq).init();
        connect();
        assertThat(srq.postRecv(b.buffer(7, 0, 64))).isEqualTo(PostResult.OK);
        assertThat(srq.postRecv(b.buffer(8, 0, 64))).isEqualTo(PostResult.OK);

        a.send(badKey(Ibv.WR_RDMA_WRITE_WITH_IMM, length, 0));

        endsWith(Ibv.WC_REM_ACCESS_ERR);
        if (taken) {
            assertThat(b.recv.one())
                    .extracting(Wc::wrId, Wc::status)
                    .containsExactly(7L, Ibv.WC_WR_FLUSH_ERR);
        }
        assertThat(b.recv.poll()).isEmpty();
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR, Ibv.EVENT_QP_LAST_WQE_REACHED);
        Peer c = fixture.peer(Ibv.QPT_RC).init();
        Peer d = fixture.peer(Ibv.QPT_RC, srq).init();
        SoftFixture.connect(c, d);
        c.send(c.wr(1, Ibv.WR_SEND, 8));
        assertThat(d.recv.one().wrId()).isEqualTo(taken ? 8 : 7);
    }

    @Test
    void aPacketOfAWrongSizeUsesASharedRequest() {
        b = fixture.peer(Ibv.QPT_RC, srq).init();
        b.attr.pathMtu = MTU_1024;
        connect();
        assertThat(srq.postRecv(b.buffer(7, 0, TWO_PACKETS))).isEqualTo(PostResult.OK);

        a.send(a.wr(1, Ibv.WR_SEND, ONE_PACKET));

        endsWith(Ibv.WC_REM_INV_REQ_ERR);
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_WR_FLUSH_ERR);
        receiverFails(Ibv.EVENT_QP_REQ_ERR, Ibv.EVENT_QP_LAST_WQE_REACHED);
    }
}
