package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Cq;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** The engine when something is wrong with itself, or with the listeners it calls. */
class EngineTest {
    private final SoftFixture fixture = new SoftFixture();

    /** Only a defect can bring the memory of one thread into the table; the copy then throws. */
    @Test
    void aDefectFailsTheQueuePairAndStrandsNothing() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[1].recv(7, 0, 64);
        try (Arena mine = Arena.ofConfined();
                Crew crew = new Crew()) {
            MemorySegment memory = mine.allocate(64);
            SoftMr mr =
                    fixture.device.mrs.add(key -> new SoftMr(key, (SoftPd) fixture.pd, memory, 0));
            assertThat(mr).isNotNull();
            SendWr bad = p[0].wr(1, Ibv.WR_SEND, 8);
            bad.sge(0, memory.address(), 8, mr.lkey());
            bad.next(p[0].wr(2, Ibv.WR_SEND, 8));
            crew.add(() -> assertThat(p[0].qp.postSend(bad)).isEqualTo(PostResult.OK));
        }

        assertThat(p[0].async).containsExactly(Ibv.EVENT_QP_FATAL);
        assertThat(p[0].state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(p[0].send.poll())
                .allMatch(wc -> wc.status() == Ibv.WC_WR_FLUSH_ERR)
                .extracting(Wc::wrId)
                .containsExactly(1L, 2L);
        p[0].send(p[0].wr(3, Ibv.WR_SEND, 8));
        assertThat(p[0].send.one().wrId()).isEqualTo(3);
    }

    @Test
    void aListenerThatThrowsHarmsNobody() {
        Cq cq = new Cq();
        AtomicInteger told = new AtomicInteger();
        cq.ops =
                fixture.context.createCq(
                        64,
                        null,
                        0,
                        SoftFixture.told(
                                () -> {
                                    told.incrementAndGet();
                                    throw new IllegalStateException("on purpose");
                                }));
        Peer a = fixture.new Peer(Ibv.QPT_UC, SoftFixture.CAP, true, cq, cq).init();
        a.rtr(5).rts();
        for (int i = 0; i < 3; i++) {
            assertThat(cq.ops.reqNotify(false)).isZero();
            a.send(a.wr(i, Ibv.WR_SEND, 8));
        }
        assertThat(told).hasValue(3);
        assertThat(cq.poll()).extracting(Wc::wrId).containsExactly(0L, 1L, 2L);
    }

    @Test
    void aListenerMayPostAndArm() {
        Cq cq = new Cq();
        AtomicReference<Peer> sender = new AtomicReference<>();
        AtomicInteger rounds = new AtomicInteger();
        cq.ops =
                fixture.context.createCq(
                        64,
                        null,
                        0,
                        SoftFixture.told(
                                () -> {
                                    if (rounds.incrementAndGet() < 50) {
                                        cq.ops.reqNotify(false);
                                        Peer p = sender.get();
                                        p.send(p.wr(rounds.get(), Ibv.WR_SEND, 8));
                                    }
                                }));
        Peer a = fixture.new Peer(Ibv.QPT_UC, SoftFixture.CAP, true, cq, cq).init();
        a.rtr(5).rts();
        sender.set(a);
        cq.ops.reqNotify(false);

        a.send(a.wr(0, Ibv.WR_SEND, 8));

        assertThat(cq.poll()).hasSize(50);
    }

    @Test
    void aLongQueueIsHandedOnAndStillServed() {
        int depth = 1 << 15;
        Cq cq = fixture.cq(depth);
        QpCap cap = new QpCap(depth, 1, 1, 1, 0);
        Peer a = fixture.new Peer(Ibv.QPT_UC, cap, true, cq, cq).init();
        a.rtr(5).rts();
        SendWr first = a.wr(0, Ibv.WR_SEND, 8);
        SendWr last = first;
        for (int i = 1; i < depth; i++) {
            SendWr wr = a.wr(i, Ibv.WR_SEND, 8);
            last.next(wr);
            last = wr;
        }

        a.send(first);

        assertThat(cq.many(depth)).extracting(Wc::wrId).isSorted().hasSize(depth);
    }
}
