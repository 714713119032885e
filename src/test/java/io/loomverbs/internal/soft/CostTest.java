package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.soft.SoftFixture.Cq;
import io.loomverbs.internal.soft.SoftFixture.Peer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.function.Supplier;

/** What things cost in memory: nothing for a message, little for what is idle. */
class CostTest {
    private static final int WARM_UP = 20_000;
    private static final int OBJECTS = 10_000;
    private static final int MEASURED = 20_000;

    /** Room for what the JVM does by the way; less than one small object in a hundred rounds. */
    private static final long NOISE_BYTES = MEASURED / 100 * 16L;

    private final SoftFixture fixture = new SoftFixture();

    /** The QP type, the opcode, whether inline. */
    @ParameterizedTest
    @CsvSource({
        Ibv.QPT_RC + "," + Ibv.WR_SEND + ", false",
        Ibv.QPT_RC + "," + Ibv.WR_SEND_WITH_IMM + ", true",
        Ibv.QPT_RC + "," + Ibv.WR_RDMA_WRITE + ", false",
        Ibv.QPT_RC + "," + Ibv.WR_RDMA_WRITE_WITH_IMM + ", false",
        Ibv.QPT_RC + "," + Ibv.WR_RDMA_READ + ", false",
        Ibv.QPT_RC + "," + Ibv.WR_ATOMIC_FETCH_AND_ADD + ", false",
        Ibv.QPT_UC + "," + Ibv.WR_SEND + ", false",
        Ibv.QPT_UD + "," + Ibv.WR_SEND + ", false"
    })
    void aMessageAllocatesNothing(int type, int opcode, boolean inline) {
        Peer a = fixture.peer(type).init();
        Peer b = fixture.peer(type).init();
        SoftFixture.connect(a, b);
        SendWr wr = a.rdma(1, opcode, 8, b);
        if (opcode == Ibv.WR_ATOMIC_FETCH_AND_ADD) {
            wr = a.atomic(1, opcode, b, 1, 0);
        }
        if (type == Ibv.QPT_UD) {
            AhAttr global = new AhAttr(SoftPort.GID_HIGH, SoftPort.GUID, true, 0, 1, 0, 0, 0, 0, 1);
            wr.ud(fixture.pd.createAh(global), b.qp.qpNum(), SoftFixture.QKEY);
        }
        if (inline) {
            wr.inline(a.memory, 0, 8);
        }
        boolean receives = opcode != Ibv.WR_RDMA_WRITE && opcode <= Ibv.WR_SEND_WITH_IMM;
        RecvWr buffer = b.buffer(7, 0, 64);
        MemorySegment wcs = Arena.ofAuto().allocate(WcStruct.BYTES * 4L, 8);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

        exchange(WARM_UP, a, b, wr, receives ? buffer : null, wcs);
        long before = threads.getCurrentThreadAllocatedBytes();
        exchange(MEASURED, a, b, wr, receives ? buffer : null, wcs);

        assertThat(threads.getCurrentThreadAllocatedBytes() - before)
                .isLessThanOrEqualTo(NOISE_BYTES);
    }

    /** Or a lack of memory could cost the event. Hardly any of it is compiled yet. */
    @Test
    void aDelayedEventAllocatesNothing() {
        SoftCq cq = (SoftCq) fixture.cq(8).ops;
        assertThat(cq.moderate(4, 0)).isZero();
        MemorySegment wcs = Arena.ofAuto().allocate(WcStruct.BYTES * 4L, 8);
        SoftWc wc = new SoftWc().set(3, 1, Ibv.WC_SUCCESS, Ibv.WC_RECV, 1);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = 0;
        for (int i = -100; i < 1000; i++) {
            if (i == 0) {
                before = threads.getCurrentThreadAllocatedBytes();
            }
            int rest = cq.reqNotify(false) + cq.add(wc) + cq.add(wc) + cq.add(wc);
            rest += cq.add(wc) - SoftCq.FIRED + cq.poll(wcs, 0, 4) - 4;
            if (rest != 0) {
                throw new AssertionError("not one event for four completions");
            }
        }

        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(4000);
    }

    private static void exchange(
            int n, Peer a, Peer b, SendWr wr, RecvWr buffer, MemorySegment wcs) {
        long failures = 0;
        for (int i = 0; i < n; i++) {
            failures += b.recv.ops.reqNotify(false);
            if (buffer != null) {
                failures += b.qp.postRecv(buffer);
            }
            failures += a.qp.postSend(wr);
            failures += 1 - a.send.ops.poll(wcs, 0, 4);
            failures += (buffer == null ? 0 : 1) - b.recv.ops.poll(wcs, 0, 4);
        }
        assertThat(failures).isZero();
    }

    /** Measured as what their making allocates, which is a little more than what stays. */
    @Test
    void idleObjectsAreSmall() {
        Cq cq = fixture.cq(1);
        QpInit init = new QpInit(Ibv.QPT_RC, SoftFixture.CAP, false);
        Object[] kept = new Object[OBJECTS];

        long cqBytes = bytesOf(kept, () -> fixture.context.createCq(1024, null, 0, cq));
        long qpBytes =
                bytesOf(
                        kept,
                        () -> fixture.pd.createQp(init, cq.ops, cq.ops, null, cq::asyncEvent));

        assertThat(cqBytes).isLessThanOrEqualTo(150);
        assertThat(qpBytes).isLessThanOrEqualTo(500);
    }

    private static long bytesOf(Object[] kept, Supplier<Object> maker) {
        kept[0] = maker.get();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < kept.length; i++) {
            kept[i] = maker.get();
        }
        return (threads.getCurrentThreadAllocatedBytes() - before) / kept.length;
    }
}
