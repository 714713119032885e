package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Set;

/** What posting takes and refuses. */
class PostTest {
    private static final long EINVAL = PostResult.failed(Errno.EINVAL, 0);
    private static final Set<Integer> SENDS = Set.of(Ibv.WR_SEND, Ibv.WR_SEND_WITH_IMM);
    private static final Set<Integer> WRITES =
            Set.of(Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_WRITE_WITH_IMM);

    private final SoftFixture fixture = new SoftFixture();

    private SendWr request(Peer from, Peer to, int opcode) {
        SendWr wr = from.rdma(1, opcode, 8, to);
        if (opcode == Ibv.WR_ATOMIC_CMP_AND_SWP || opcode == Ibv.WR_ATOMIC_FETCH_AND_ADD) {
            wr = from.atomic(1, opcode, to, 0, 0);
        }
        if (from.type == Ibv.QPT_UD) {
            wr.ud(fixture.pd.createAh(from.attr.av), to.qp.qpNum(), SoftFixture.QKEY);
        }
        return wr;
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC, Ibv.QPT_UD})
    void everyTypeHasItsOpcodes(int type) { // with an entry, which local ones do not take
        Peer a = fixture.peer(type).init();
        Peer b = fixture.peer(type).init();
        SoftFixture.connect(a, b);
        for (int i = 0; i < 10; i++) {
            b.recv(i, 0, 64);
        }
        for (int opcode = -1; opcode < 40; opcode++) {
            boolean allowed =
                    switch (type) {
                        case Ibv.QPT_RC ->
                                (opcode >= 0 && opcode <= 6) || opcode == Ibv.WR_SEND_WITH_INV;
                        case Ibv.QPT_UC ->
                                SENDS.contains(opcode)
                                        || WRITES.contains(opcode)
                                        || opcode == Ibv.WR_SEND_WITH_INV;
                        default -> SENDS.contains(opcode);
                    };
            long result = a.qp.postSend(request(a, b, opcode));
            assertThat(result).as("opcode %d", opcode).isEqualTo(allowed ? 0 : EINVAL);
            assertThat(a.send.poll())
                    .extracting(Wc::status)
                    .containsExactlyElementsOf(allowed ? List.of(0) : List.of());
        }
    }

    @Test
    void aChainStopsAtTheFirstBadRequest() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        for (int i = 0; i < 4; i++) {
            p[1].recv(i, 0, 8);
        }
        SendWr first = p[0].wr(1, Ibv.WR_SEND, 8);
        SendWr second = p[0].wr(2, Ibv.WR_SEND, 8);
        SendWr bad = p[0].wr(3, 99, 8);
        first.next(second);
        second.next(bad);
        bad.next(p[0].wr(4, Ibv.WR_SEND, 8));

        assertThat(p[0].qp.postSend(first)).isEqualTo(PostResult.failed(Errno.EINVAL, 2));
        assertThat(p[0].send.poll()).extracting(Wc::wrId).containsExactly(1L, 2L);
    }

    @Test
    void fullQueuesSayEnomem() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        a.attr.timeout = 0;
        a.rtr(5).rts();
        int depth = SoftFixture.CAP.maxSendWr();
        for (int i = 0; i < depth; i++) {
            a.send(a.wr(i, Ibv.WR_SEND, 8));
            a.recv(i, 0, 8);
        }

        assertThat(a.qp.postSend(a.wr(99, Ibv.WR_SEND, 8)))
                .isEqualTo(PostResult.failed(Errno.ENOMEM, 0));
        assertThat(a.qp.postRecv(a.buffer(99, 0, 8))).isEqualTo(PostResult.failed(Errno.ENOMEM, 0));
        a.error();
        assertThat(a.send.poll()).hasSize(depth);
        a.send(a.wr(99, Ibv.WR_SEND, 8));
    }

    @Test
    void aQueueOfNothingTakesNothing() {
        QpCap cap = new QpCap(0, 0, 1, 1, 0);
        Peer a = fixture.new Peer(Ibv.QPT_UC, cap, true).init();
        a.rtr(5).rts();

        assertThat(a.qp.postSend(a.wr(1, Ibv.WR_SEND, 8)))
                .isEqualTo(PostResult.failed(Errno.ENOMEM, 0));
        assertThat(a.qp.postRecv(a.buffer(1, 0, 8))).isEqualTo(PostResult.failed(Errno.ENOMEM, 0));
    }

    @Test
    void whatGoesBeyondTheCapacitiesIsRefused() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        SendWr wide = new SendWr(5, 100);
        wide.opcode(Ibv.WR_SEND);
        wide.numSge(5);
        assertThat(p[0].qp.postSend(wide)).isEqualTo(EINVAL);
        wide.numSge(-1);
        assertThat(p[0].qp.postSend(wide)).isEqualTo(EINVAL);
        wide.inline(p[0].memory, 0, 65);
        assertThat(p[0].qp.postSend(wide)).isEqualTo(EINVAL);
        wide.inline(p[0].memory, 0, 64);
        wide.opcode(Ibv.WR_RDMA_READ);
        assertThat(p[0].qp.postSend(wide)).isEqualTo(EINVAL);
        wide.opcode(Ibv.WR_SEND);
        wide.sge(0, p[0].memory.address(), 8, 0);
        assertThat(p[0].qp.postSend(wide)).as("inline from elsewhere").isEqualTo(EINVAL);
        SendWr flags = p[0].wr(1, Ibv.WR_SEND, 8);
        flags.sendFlags(1 << 10);
        assertThat(p[0].qp.postSend(flags)).isEqualTo(EINVAL);
        SendWr shortAtomic = p[0].atomic(1, Ibv.WR_ATOMIC_FETCH_AND_ADD, p[1], 1, 0);
        shortAtomic.sge(0, p[0].memory.address(), 7, p[0].mr.lkey());
        assertThat(p[0].qp.postSend(shortAtomic)).isEqualTo(EINVAL);
        RecvWr recv = new RecvWr(5);
        recv.numSge(5);
        assertThat(p[0].qp.postRecv(recv)).isEqualTo(EINVAL);
        recv.numSge(-1);
        assertThat(p[0].qp.postRecv(recv)).isEqualTo(EINVAL);
    }

    @Test
    void onlyWhatIsSignalledIsReported() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        for (int i = 0; i < 3; i++) {
            p[1].recv(i, 0, 8);
            SendWr wr = p[0].wr(i, Ibv.WR_SEND, 8);
            wr.sendFlags(i == 1 ? Ibv.SEND_SIGNALED | Ibv.SEND_FENCE : Ibv.SEND_FENCE);
            p[0].send(wr);
        }
        assertThat(p[0].send.poll()).extracting(Wc::wrId).containsExactly(1L);

        Peer all = fixture.new Peer(Ibv.QPT_UC, SoftFixture.CAP, true).init();
        all.rtr(5).rts();
        SendWr wr = all.wr(9, Ibv.WR_SEND, 8);
        wr.sendFlags(0);
        all.send(wr);
        assertThat(all.send.one().wrId()).isEqualTo(9);
    }
}
