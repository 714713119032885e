package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.MwOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Peer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Memory windows: what the API does not let a program try. */
class WindowTest {
    private static final int WRITE = Ibv.ACCESS_REMOTE_WRITE;
    private static final int BINDABLE = Ibv.ACCESS_LOCAL_WRITE | Ibv.ACCESS_MW_BIND;

    private final SoftFixture fixture = new SoftFixture();
    private final Peer[] p = fixture.pair(Ibv.QPT_RC);
    private final MrOps mr = fixture.pd.regMr(p[1].memory, BINDABLE);
    private final MwOps mw = fixture.pd.allocMw(Ibv.MW_TYPE_2);
    private final long start = p[1].memory.address();

    private static SendWr bind(MwOps mw, MrOps mr, long addr, long length, int access) {
        SendWr wr = new SendWr(4, 64);
        wr.bind(mw, mw.rkey() + 1, mr, addr, length, access);
        wr.sendFlags(Ibv.SEND_SIGNALED);
        return wr;
    }

    private static SendWr invalidate(int rkey) {
        SendWr wr = new SendWr(1, 0);
        wr.opcode(Ibv.WR_LOCAL_INV);
        wr.immData(rkey);
        wr.sendFlags(Ibv.SEND_SIGNALED);
        return wr;
    }

    private static int status(Peer by, SendWr wr) {
        by.send(wr);
        return by.send.one().status();
    }

    private int bound(SendWr wr) {
        return status(p[1], wr);
    }

    private static SendWr write(Peer from, long addr, int rkey) {
        SendWr wr = from.wr(1, Ibv.WR_RDMA_WRITE, 8);
        wr.rdma(addr, rkey);
        return wr;
    }

    /** A window that the bind leaves alone, in each of these ways, is not bound. */
    @Test
    void whatMayNotBeBound() {
        PdOps otherPd = fixture.context.allocPd();
        MrOps foreign = otherPd.regMr(p[1].memory, BINDABLE);
        MrOps gone = fixture.pd.regMr(p[1].memory, BINDABLE);
        assertThat(gone.dereg()).isZero();
        MwOps closed = fixture.pd.allocMw(Ibv.MW_TYPE_2);
        assertThat(closed.dealloc()).isZero();
        MwOps otherMw = otherPd.allocMw(Ibv.MW_TYPE_2);
        long end = start + p[1].memory.byteSize();
        List<SendWr> bad =
                List.of(
                        bind(mw, foreign, start, 8, WRITE),
                        bind(mw, gone, start, 8, WRITE),
                        bind(mw, mr, start - 1, 8, WRITE),
                        bind(mw, mr, end - 7, 8, WRITE),
                        bind(mw, mr, start, -1, WRITE),
                        bind(mw, mr, start, 0, WRITE),
                        bind(mw, mr, start, 8, Ibv.ACCESS_LOCAL_WRITE),
                        bind(closed, mr, start, 8, WRITE),
                        bind(otherMw, mr, start, 8, WRITE));
        int key = mw.rkey();
        for (SendWr wr : bad) {
            Peer[] pair = fixture.pair(Ibv.QPT_RC);
            mw.rkey(key);
            assertThat(status(pair[1], wr)).as("%s", bad.indexOf(wr)).isEqualTo(Ibv.WC_MW_BIND_ERR);
        }
        mw.rkey(key);
        assertThat(bound(bind(mw, mr, end - 8, 8, WRITE))).isEqualTo(Ibv.WC_SUCCESS);
    }

    @Test
    void whatIsRefusedAtOnce() {
        List<Consumer<SendWr>> bad = new ArrayList<>();
        bad.add(wr -> wr.numSge(1));
        bad.add(wr -> wr.sendFlags(Ibv.SEND_INLINE));
        bad.add(SendWr::clear);
        for (Consumer<SendWr> change : bad) {
            SendWr wr = bind(mw, mr, start, 8, WRITE);
            change.accept(wr);
            wr.opcode(Ibv.WR_BIND_MW);
            assertThat(p[1].qp.postSend(wr)).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        }
        SendWr inv = invalidate(mw.rkey());
        inv.numSge(1);
        assertThat(p[1].qp.postSend(inv)).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        Peer[] ud = fixture.pair(Ibv.QPT_UD);
        for (int opcode : new int[] {Ibv.WR_LOCAL_INV, Ibv.WR_SEND_WITH_INV}) {
            SendWr wr = invalidate(1);
            wr.opcode(opcode);
            assertThat(ud[0].qp.postSend(wr)).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        }
        assertThatThrownBy(() -> fixture.pd.allocMw(3)).isInstanceOf(DeviceException.class);
    }

    /** The key is for peers, not for entries of requests here. */
    @Test
    void aWindowHasNoLocalKey() {
        assertThat(bound(bind(mw, mr, start, 64, WRITE))).isEqualTo(Ibv.WC_SUCCESS);
        SendWr wr = p[1].wr(1, Ibv.WR_SEND, 8);
        wr.sge(0, start, 8, mw.rkey());
        assertThat(status(p[1], wr)).isEqualTo(Ibv.WC_LOC_PROT_ERR);
    }

    /** Requests that no packet is sent for leave the numbers of packets as they are. */
    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC})
    void localRequestsTakeNoPackets(int type) {
        Peer[] pair = fixture.pair(type);
        assertThat(status(pair[1], bind(mw, mr, start, 64, WRITE))).isEqualTo(Ibv.WC_SUCCESS);
        pair[0].memory.set(JAVA_LONG, 0, 42);
        assertThat(status(pair[0], write(pair[0], start, mw.rkey()))).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(p[1].memory.get(JAVA_LONG, 0)).isEqualTo(42);
        pair[0].recv(9, 0, 8);
        assertThat(status(pair[1], pair[1].wr(2, Ibv.WR_SEND, 8))).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(pair[0].recv.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        SendWr send = pair[0].wr(3, Ibv.WR_SEND_WITH_INV, 8);
        send.immData(mw.rkey());
        pair[1].recv(9, 0, 8);
        assertThat(status(pair[0], send)).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(pair[1].recv.one().flags()).isEqualTo(Ibv.WC_WITH_INV);
        pair[0].memory.set(JAVA_LONG, 0, 43);
        int late = status(pair[0], write(pair[0], start + 8, mw.rkey()));
        assertThat(late).isEqualTo(type == Ibv.QPT_RC ? Ibv.WC_REM_ACCESS_ERR : Ibv.WC_SUCCESS);
        assertThat(p[1].memory.get(JAVA_LONG, 8)).isZero();
    }

    /** One that is not bound may be invalidated; one of another queue pair or domain may not. */
    @Test
    void whoMayInvalidate() {
        assertThat(bound(invalidate(mw.rkey()))).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(bound(bind(mw, mr, start, 8, WRITE))).isEqualTo(Ibv.WC_SUCCESS);
        Peer[] other = fixture.pair(Ibv.QPT_RC);
        assertThat(status(other[1], invalidate(mw.rkey()))).isEqualTo(Ibv.WC_LOC_QP_OP_ERR);
        MwOps foreign = fixture.context.allocPd().allocMw(Ibv.MW_TYPE_2);
        Peer[] third = fixture.pair(Ibv.QPT_RC);
        assertThat(status(third[1], invalidate(foreign.rkey()))).isEqualTo(Ibv.WC_LOC_QP_OP_ERR);
        Peer[] fourth = fixture.pair(Ibv.QPT_RC);
        assertThat(status(fourth[1], invalidate(mr.rkey()))).isEqualTo(Ibv.WC_LOC_QP_OP_ERR);
        assertThat(status(p[0], write(p[0], start, mw.rkey()))).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(bound(invalidate(mw.rkey() + 1))).isEqualTo(Ibv.WC_LOC_QP_OP_ERR);
    }

    /** The device itself counts what is bound. */
    @Test
    void whatIsInUseStays() {
        assertThat(bound(bind(mw, mr, start, 8, WRITE))).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(mr.dereg()).isEqualTo(-Errno.EBUSY);
        assertThat(fixture.pd.dealloc()).isEqualTo(-Errno.EBUSY);
        assertThat(status(p[0], write(p[0], start, mw.rkey()))).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(mw.dealloc()).isZero();
        assertThat(mw.dealloc()).isEqualTo(-Errno.EINVAL);
        assertThat(mr.dereg()).isZero();
        assertThat(status(p[0], write(p[0], start, mw.rkey()))).isEqualTo(Ibv.WC_REM_ACCESS_ERR);
    }

    /** An atomic is refused by where it is in memory, not by the number that addresses it. */
    @Test
    void aZeroBasedWindowMayBeginAnywhere() {
        int access = Ibv.ACCESS_ZERO_BASED | Ibv.ACCESS_REMOTE_ATOMIC;
        assertThat(bound(bind(mw, mr, start + 4, 64, access))).isEqualTo(Ibv.WC_SUCCESS);
        SendWr add = p[0].atomic(1, Ibv.WR_ATOMIC_FETCH_AND_ADD, p[1], 2, 0);
        add.atomic(4, mw.rkey(), 2, 0);
        assertThat(status(p[0], add)).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(p[1].memory.get(JAVA_LONG, 8)).isEqualTo(2);
        add.atomic(8, mw.rkey(), 2, 0);
        assertThat(status(p[0], add)).isEqualTo(Ibv.WC_REM_INV_REQ_ERR);
    }

    @Test
    void thereAreSoMany() {
        int limit = fixture.context.queryDevice().maxMw();
        for (int i = 1; i < limit; i++) {
            fixture.pd.allocMw(Ibv.MW_TYPE_1);
        }
        assertThatThrownBy(() -> fixture.pd.allocMw(Ibv.MW_TYPE_1))
                .isInstanceOfSatisfying(
                        DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
        assertThat(mw.dealloc()).isZero();
        fixture.pd.allocMw(Ibv.MW_TYPE_1);
    }
}
