package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Peer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Every way in which a reliable request can end badly, and what becomes of the two queue pairs. */
class StatusTest {
    private static final int ADDR_OUTSIDE = 1 << 20;

    private final SoftFixture fixture = new SoftFixture();
    private final Peer[] p = fixture.pair(Ibv.QPT_RC);
    private final Peer a = p[0];
    private final Peer b = p[1];

    private void senderEndsWith(int status) {
        assertThat(a.send.one().status()).isEqualTo(status);
        assertThat(a.state()).isEqualTo(Ibv.QPS_ERR);
    }

    private void receiverIsUnharmed() {
        assertThat(b.recv.poll()).isEmpty();
        assertThat(b.async).isEmpty();
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
    }

    private void receiverFails(Integer event) {
        assertThat(b.async).containsExactly(event);
        assertThat(b.state()).isEqualTo(Ibv.QPS_ERR);
    }

    /** Every opcode with a local entry that has a bad key, or leaves its region. */
    @ParameterizedTest
    @ValueSource(
            ints = {
                Ibv.WR_SEND,
                Ibv.WR_SEND_WITH_IMM,
                Ibv.WR_RDMA_WRITE,
                Ibv.WR_RDMA_WRITE_WITH_IMM,
                Ibv.WR_RDMA_READ,
                Ibv.WR_ATOMIC_CMP_AND_SWP,
                Ibv.WR_ATOMIC_FETCH_AND_ADD
            })
    void aBadLocalEntryIsAProtectionError(int opcode) {
        b.recv(1, 0, 64);
        SendWr wr = remote(opcode, b.memory.address(), b.mr.rkey());
        wr.sge(0, a.memory.address(), 8, a.mr.lkey() + 1);

        a.send(wr);

        senderEndsWith(Ibv.WC_LOC_PROT_ERR);
        receiverIsUnharmed();
    }

    @ParameterizedTest
    @CsvSource({"-1, 8", "16377, 8", "16384, 1", "0, 16385", "-8, 8", "1048576, 1"})
    void anEntryOutsideItsRegionIsAProtectionError(long offset, int length) {
        b.recv(1, 0, 64);
        SendWr wr = a.wr(1, Ibv.WR_SEND, 8);
        wr.sge(0, a.memory.address() + offset, length, a.mr.lkey());

        a.send(wr);

        senderEndsWith(Ibv.WC_LOC_PROT_ERR);
        receiverIsUnharmed();
    }

    @Test
    void aRegionOfAnotherDomainIsAProtectionError() {
        PdOps other = fixture.context.allocPd();
        MrOps mr = other.regMr(a.memory, SoftFixture.REMOTE_ALL);
        b.recv(1, 0, 64);
        SendWr wr = a.wr(1, Ibv.WR_SEND, 8);
        wr.sge(0, a.memory.address(), 8, mr.lkey());

        a.send(wr);

        senderEndsWith(Ibv.WC_LOC_PROT_ERR);
        receiverIsUnharmed();
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_RDMA_READ, Ibv.WR_ATOMIC_FETCH_AND_ADD})
    void fetchingIntoReadOnlyMemoryIsAProtectionError(int opcode) {
        MrOps readable = fixture.pd.regMr(a.memory, 0);
        SendWr wr =
                opcode == Ibv.WR_RDMA_READ ? a.rdma(1, opcode, 8, b) : a.atomic(1, opcode, b, 1, 0);
        wr.sge(0, a.memory.address(), 8, readable.lkey());

        a.send(wr);

        senderEndsWith(Ibv.WC_LOC_PROT_ERR);
        receiverIsUnharmed();
    }

    @Test
    void aStaleKeyIsNoticedAlthoughItsPlaceIsTakenAgain() {
        int stale = a.mr.lkey();
        assertThat(a.mr.dereg()).isZero();
        MrOps again = fixture.pd.regMr(a.memory, SoftFixture.REMOTE_ALL);
        assertThat(again.lkey() >>> 8).isEqualTo(stale >>> 8);
        b.recv(1, 0, 64);

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        senderEndsWith(Ibv.WC_LOC_PROT_ERR);
    }

    @Test
    void aMessageThatIsTooLongForThePortIsALengthError() {
        SendWr wr = a.wr(1, Ibv.WR_SEND, 8);
        wr.sge(0, a.memory.address(), SoftPort.MAX_MSG_BYTES + 1, a.mr.lkey());

        a.send(wr);

        senderEndsWith(Ibv.WC_LOC_LEN_ERR);
        receiverIsUnharmed();
    }

    @Test
    void aMessageThatIsTooLongForTheBufferFailsBothSides() {
        b.recv(7, 0, 7);
        b.recv(8, 0, 7);

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        senderEndsWith(Ibv.WC_REM_INV_REQ_ERR);
        assertThat(b.recv.poll())
                .extracting(SoftFixture.Wc::wrId, SoftFixture.Wc::status)
                .containsExactly(tuple(7L, Ibv.WC_LOC_LEN_ERR), tuple(8L, Ibv.WC_WR_FLUSH_ERR));
        assertThat(b.state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(b.async).isEmpty();
    }

    @Test
    void anUnusableReceiveBufferFailsBothSides() {
        RecvWr wr = b.buffer(7, 0, 64);
        wr.sge(0, b.memory.address(), 64, b.mr.lkey() + 1);
        assertThat(b.qp.postRecv(wr)).isZero();

        a.send(a.wr(1, Ibv.WR_SEND, 8));

        senderEndsWith(Ibv.WC_REM_OP_ERR);
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_LOC_PROT_ERR);
        assertThat(b.state()).isEqualTo(Ibv.QPS_ERR);
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                Ibv.WR_RDMA_WRITE,
                Ibv.WR_RDMA_WRITE_WITH_IMM,
                Ibv.WR_RDMA_READ,
                Ibv.WR_ATOMIC_CMP_AND_SWP,
                Ibv.WR_ATOMIC_FETCH_AND_ADD
            })
    void aBadRemoteKeyIsAnAccessError(int opcode) {
        b.recv(7, 0, 64);

        a.send(remote(opcode, b.memory.address(), b.mr.rkey() + 1));

        senderEndsWith(Ibv.WC_REM_ACCESS_ERR);
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR);
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_WR_FLUSH_ERR);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_READ, Ibv.WR_ATOMIC_CMP_AND_SWP})
    void leavingTheRemoteRegionIsAnAccessError(int opcode) {
        a.send(remote(opcode, b.memory.address() + ADDR_OUTSIDE, b.mr.rkey()));

        senderEndsWith(Ibv.WC_REM_ACCESS_ERR);
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR);
    }

    @ParameterizedTest
    @CsvSource({
        Ibv.WR_RDMA_WRITE + "," + Ibv.ACCESS_REMOTE_WRITE,
        Ibv.WR_RDMA_READ + "," + Ibv.ACCESS_REMOTE_READ,
        Ibv.WR_ATOMIC_FETCH_AND_ADD + "," + Ibv.ACCESS_REMOTE_ATOMIC
    })
    void aRegionThatDoesNotAllowItIsAnAccessError(int opcode, int needed) {
        MrOps mr = fixture.pd.regMr(b.memory, SoftFixture.REMOTE_ALL & ~needed);

        a.send(remote(opcode, b.memory.address(), mr.rkey()));

        senderEndsWith(Ibv.WC_REM_ACCESS_ERR);
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR);
    }

    @Test
    void aRemoteRegionOfAnotherDomainIsAnAccessError() {
        MrOps mr = fixture.context.allocPd().regMr(b.memory, SoftFixture.REMOTE_ALL);

        a.send(remote(Ibv.WR_RDMA_WRITE, b.memory.address(), mr.rkey()));

        senderEndsWith(Ibv.WC_REM_ACCESS_ERR);
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR);
    }

    @ParameterizedTest
    @CsvSource({
        Ibv.WR_RDMA_WRITE + "," + Ibv.ACCESS_REMOTE_WRITE,
        Ibv.WR_RDMA_WRITE_WITH_IMM + "," + Ibv.ACCESS_REMOTE_WRITE,
        Ibv.WR_RDMA_READ + "," + Ibv.ACCESS_REMOTE_READ,
        Ibv.WR_ATOMIC_CMP_AND_SWP + "," + Ibv.ACCESS_REMOTE_ATOMIC,
        Ibv.WR_ATOMIC_FETCH_AND_ADD + "," + Ibv.ACCESS_REMOTE_ATOMIC
    })
    void aQueuePairThatDoesNotAllowItCallsItInvalid(int opcode, int needed) {
        b.attr.qpAccessFlags = SoftFixture.REMOTE_ALL & ~needed;
        assertThat(b.modify(Ibv.QPS_RTS, Ibv.QP_STATE | Ibv.QP_ACCESS_FLAGS)).isZero();

        a.send(remote(opcode, b.memory.address(), b.mr.rkey()));

        senderEndsWith(Ibv.WC_REM_INV_REQ_ERR);
        receiverFails(Ibv.EVENT_QP_REQ_ERR);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_ATOMIC_CMP_AND_SWP, Ibv.WR_ATOMIC_FETCH_AND_ADD})
    void aMisalignedAtomicIsInvalid(int opcode) {
        a.send(remote(opcode, b.memory.address() + 4, b.mr.rkey()));

        senderEndsWith(Ibv.WC_REM_INV_REQ_ERR);
        receiverFails(Ibv.EVENT_QP_REQ_ERR);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_RDMA_READ, Ibv.WR_ATOMIC_FETCH_AND_ADD})
    void fetchingNeedsResourcesOnBothSides(int opcode) {
        Peer c = fixture.peer(Ibv.QPT_RC).init();
        Peer d = fixture.peer(Ibv.QPT_RC).init();
        c.attr.maxRdAtomic = 0;
        d.attr.maxDestRdAtomic = 0;
        SoftFixture.connect(c, d);

        SendWr wr = c.atomic(1, Ibv.WR_ATOMIC_FETCH_AND_ADD, d, 1, 0);
        if (opcode == Ibv.WR_RDMA_READ) {
            wr = c.rdma(1, opcode, 8, d);
        }
        c.send(wr);
        assertThat(c.send.one().status()).isEqualTo(Ibv.WC_LOC_QP_OP_ERR);
        assertThat(d.state()).isEqualTo(Ibv.QPS_RTS);

        Peer e = fixture.peer(Ibv.QPT_RC).init();
        Peer f = fixture.peer(Ibv.QPT_RC).init();
        f.attr.maxDestRdAtomic = 0;
        SoftFixture.connect(e, f);
        e.send(e.rdma(1, Ibv.WR_RDMA_READ, 8, f));
        assertThat(e.send.one().status()).isEqualTo(Ibv.WC_REM_INV_REQ_ERR);
        assertThat(f.async).containsExactly(Ibv.EVENT_QP_REQ_ERR);
    }

    @Test
    void memoryWhoseArenaIsClosedIsAProtectionError() {
        MemorySegment gone;
        MrOps mr;
        try (Arena arena = Arena.ofShared()) {
            gone = arena.allocate(64);
            mr = fixture.pd.regMr(gone, SoftFixture.REMOTE_ALL);
        }
        b.recv(1, 0, 64);
        SendWr wr = a.wr(1, Ibv.WR_SEND, 8);
        wr.sge(0, gone.address(), 8, mr.lkey());

        a.send(wr);

        senderEndsWith(Ibv.WC_LOC_PROT_ERR);
        receiverIsUnharmed();
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_READ, Ibv.WR_ATOMIC_FETCH_AND_ADD})
    void remoteMemoryWhoseArenaIsClosedIsAnAccessError(int opcode) {
        MemorySegment gone;
        MrOps mr;
        try (Arena arena = Arena.ofShared()) {
            gone = arena.allocate(64, 8);
            mr = fixture.pd.regMr(gone, SoftFixture.REMOTE_ALL);
        }

        a.send(remote(opcode, gone.address(), mr.rkey()));

        senderEndsWith(Ibv.WC_REM_ACCESS_ERR);
        receiverFails(Ibv.EVENT_QP_ACCESS_ERR);
    }

    @Test
    void nothingNeedsNoKeys() {
        b.recv(7, 0, 0);
        SendWr send = a.wr(1, Ibv.WR_SEND, 0);
        send.sge(0, 1, 0, 1);
        SendWr write = a.rdma(2, Ibv.WR_RDMA_WRITE, 0, b);
        write.rdma(1, 1);
        SendWr read = a.rdma(3, Ibv.WR_RDMA_READ, 0, b);
        read.rdma(1, 1);
        send.next(write);
        write.next(read);

        a.send(send);

        assertThat(a.send.poll()).extracting(SoftFixture.Wc::status).containsExactly(0, 0, 0);
        assertThat(b.recv.one().byteLen()).isZero();
    }

    private SendWr remote(int opcode, long addr, int rkey) {
        SendWr wr;
        if (opcode == Ibv.WR_ATOMIC_CMP_AND_SWP || opcode == Ibv.WR_ATOMIC_FETCH_AND_ADD) {
            wr = a.wr(1, opcode, 8);
            wr.atomic(addr, rkey, 1, 1);
        } else {
            wr = a.wr(1, opcode, 8);
            wr.rdma(addr, rkey);
        }
        return wr;
    }
}
