package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqConfig;
import io.loomverbs.DeviceCapability;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MemoryWindow;
import io.loomverbs.MwType;
import io.loomverbs.PostException;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.VerbsException;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Memory windows, which b binds and a uses: what they open to whom, and how that ends. */
class DeviceWindowsTest extends DeviceContract {
    private static final long NEW = 0x0123_4567_89ab_cdefL;
    private static final int OFFSET = 64;
    private static final int LENGTH = 32;
    private static final Access[] ALL = {
        Access.REMOTE_WRITE, Access.REMOTE_READ, Access.REMOTE_ATOMIC
    };

    /** Peers may not use its own key. */
    private final MemoryRegion mr = region(Access.LOCAL_WRITE, Access.MW_BIND);

    private final Pair p = pair(QpType.RC);

    private MemoryRegion region(Access... access) {
        return f.own(f.pd.allocateMr(256, access));
    }

    private MemoryWindow window(MwType type) {
        return f.own(f.pd.allocMw(type)); // closed before the queue pairs and the region
    }

    private void post(Pair by, MemoryWindow mw, MemoryRegion to, long length, Access... access) {
        if (mw.type() == MwType.TYPE_1) {
            by.b.bindMw(mw, 7, to, OFFSET, length, access);
        } else {
            int next = MemoryWindow.incRkey(mw.rkey());
            by.b.postSend(request(7).bindMw(mw, next, to, OFFSET, length, access));
        }
    }

    private static SendWorkRequest request(long wrId) {
        return SendWorkRequest.allocate(1, 0).wrId(wrId).signaled();
    }

    /** Binds it by b, and says how that ended. */
    private WcStatus bind(Pair by, MemoryWindow mw, MemoryRegion to, Access... access) {
        int before = mw.rkey();
        post(by, mw, to, LENGTH, access);
        assertThat(mw.rkey()).as("with the post").isEqualTo(MemoryWindow.incRkey(before));
        WorkCompletion done = Fixture.pollOne(receives);
        assertThat(done.wrId()).isEqualTo(7);
        assertThat(done.qpNum()).isEqualTo(by.b.qpNum());
        if (done.status() == WcStatus.SUCCESS) {
            assertThat(done.opcode()).isEqualTo(WcOpcode.BIND_MW);
        }
        return done.status();
    }

    private MemoryWindow bound(MwType type, Access... access) {
        MemoryWindow mw = window(type);
        assertThat(bind(p, mw, mr, access)).isEqualTo(WcStatus.SUCCESS);
        return mw;
    }

    private WcStatus invalidate(int rkey) {
        p.b.postSend(request(8).localInv(rkey));
        WorkCompletion done = Fixture.pollOne(receives);
        assertThat(done.wrId()).isEqualTo(8);
        if (done.status() == WcStatus.SUCCESS) {
            assertThat(done.opcode()).isEqualTo(WcOpcode.LOCAL_INV);
        }
        return done.status();
    }

    private WcStatus write(Pair by, long addr, int rkey) {
        by.aMemory.memory().set(JAVA_LONG, 0, NEW);
        by.a.postSend(by.send(1, 8).rdmaWrite(addr, rkey));
        return Fixture.pollOne(sends).status();
    }

    /** A write by that key leaves the memory alone; the pair is of no use any more. */
    private void refused(Pair by, long addr, int rkey) {
        mr.memory().fill((byte) 0);
        assertThat(write(by, addr, rkey)).isEqualTo(WcStatus.REM_ACCESS_ERR);
        assertThat(mr.memory().get(JAVA_LONG, OFFSET)).isZero();
        Fixture.eventually("b is in ERR", () -> by.b.state() == QpState.ERR);
    }

    private long start() {
        return mr.address() + OFFSET;
    }

    @ParameterizedTest
    @EnumSource
    void aWindowAllowsWhatItsRegionDoesNot(MwType type) {
        MemoryWindow mw = bound(type, ALL);
        assertThat(mw.type()).isEqualTo(type);
        RemoteRegion part = RemoteRegion.of(mr).slice(OFFSET, LENGTH).through(mw);
        assertThat(write(p, part.address(), part.rkey())).isEqualTo(WcStatus.SUCCESS);
        assertThat(mr.memory().get(JAVA_LONG, OFFSET)).isEqualTo(NEW);
        p.a.postSend(request(2).sge(p.aMemory, 8, 8).rdmaRead(start(), mw.rkey()));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(p.aMemory.memory().get(JAVA_LONG, 8)).isEqualTo(NEW);
        p.a.postSend(request(3).sge(p.aMemory, 8, 8).fetchAndAdd(start() + 8, mw.rkey(), 5));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(mr.memory().get(JAVA_LONG, OFFSET + 8)).isEqualTo(5);
        refused(p, start(), mr.rkey());
    }

    @ParameterizedTest
    @EnumSource
    void aKeyOfBeforeTheBindMeansNothing(MwType type) {
        MemoryWindow mw = window(type);
        int before = mw.rkey();
        assertThat(bind(p, mw, mr, ALL)).isEqualTo(WcStatus.SUCCESS);
        refused(p, start(), before);
    }

    @ParameterizedTest
    @EnumSource
    void aWindowAllowsNoMoreThanWasSaid(MwType type) {
        MemoryWindow mw = bound(type, Access.REMOTE_READ);
        refused(p, start(), mw.rkey());
    }

    /** soft-RoCE looks at the bounds of the region only. */
    @ParameterizedTest
    @EnumSource
    void aWindowEndsWhereItWasBound(MwType type) {
        MemoryWindow mw = bound(type, ALL);
        assertThat(write(p, start() + LENGTH - 8, mw.rkey())).isEqualTo(WcStatus.SUCCESS);
        long beyond = Differences.windowsHaveBounds() ? start() + LENGTH - 7 : mr.address() + 249;
        refused(p, beyond, mw.rkey());
        Pair other = pair(QpType.RC);
        MemoryWindow second = window(type);
        assertThat(bind(other, second, mr, ALL)).isEqualTo(WcStatus.SUCCESS);
        long before = Differences.windowsHaveBounds() ? start() - 1 : mr.address() - 1;
        refused(other, before, second.rkey());
    }

    @Test
    void aZeroBasedWindowIsAddressedFromZero() {
        MemoryWindow mw = bound(MwType.TYPE_2, Access.ZERO_BASED, Access.REMOTE_WRITE);
        assertThat(write(p, 8, mw.rkey())).isEqualTo(WcStatus.SUCCESS);
        assertThat(mr.memory().get(JAVA_LONG, OFFSET + 8)).isEqualTo(NEW);
        refused(p, start(), mw.rkey());
        MemoryWindow first = window(MwType.TYPE_1);
        int before = first.rkey();
        assertThatThrownBy(() -> post(pair(QpType.RC), first, mr, LENGTH, Access.ZERO_BASED))
                .isInstanceOf(PostException.class)
                .hasMessageStartingWith("ibv_bind_mw: EINVAL: ");
        assertThat(first.rkey()).isEqualTo(before);
    }

    /** A bind of type 1 takes the place of the last one, and one of nothing ends it. */
    @Test
    void aWindowOfType1IsBoundAgainAndUnbound() {
        MemoryRegion old = region(Access.LOCAL_WRITE, Access.MW_BIND);
        MemoryWindow mw = window(MwType.TYPE_1);
        assertThat(bind(p, mw, old, ALL)).isEqualTo(WcStatus.SUCCESS);
        assertThat(bind(p, mw, mr, ALL)).isEqualTo(WcStatus.SUCCESS);
        old.close();
        assertThat(write(p, start(), mw.rkey())).isEqualTo(WcStatus.SUCCESS);
        assertThat(mr.memory().get(JAVA_LONG, OFFSET)).isEqualTo(NEW);
        post(p, mw, mr, 0);
        assertThat(Fixture.pollOne(receives).status()).isEqualTo(WcStatus.SUCCESS);
        refused(p, start(), mw.rkey());
        mr.close();
    }

    @Test
    void aWindowOfType2IsBoundOnlyOnce() {
        MemoryWindow mw = bound(MwType.TYPE_2, ALL);
        int good = mw.rkey();
        assertThat(bind(p, mw, mr, ALL)).isEqualTo(WcStatus.MW_BIND_ERR);
        assertThat(p.b.state()).isEqualTo(QpState.ERR);
        mw.restoreRkey(good);
        assertThat(mw.rkey()).isEqualTo(good);
    }

    /** The peers of all queue pairs may use one of type 1; that of type 2 is for one. */
    @Test
    void aWindowOfType2IsForOneQueuePair() {
        MemoryWindow first = bound(MwType.TYPE_1, ALL);
        MemoryWindow second = bound(MwType.TYPE_2, ALL);
        Pair other = pair(QpType.RC);
        assertThat(write(other, start(), first.rkey())).isEqualTo(WcStatus.SUCCESS);
        refused(other, start(), second.rkey());
        assertThat(write(p, start(), second.rkey())).isEqualTo(WcStatus.SUCCESS);
    }

    @Test
    void anInvalidatedKeyMeansNothing() {
        MemoryWindow mw = bound(MwType.TYPE_2, ALL);
        int old = mw.rkey();
        assertThat(invalidate(old)).isEqualTo(WcStatus.SUCCESS);
        assertThat(mw.rkey()).as("until the next bind").isEqualTo(old);
        assertThat(bind(p, mw, mr, ALL)).isEqualTo(WcStatus.SUCCESS);
        assertThat(write(p, start(), mw.rkey())).isEqualTo(WcStatus.SUCCESS);
        assertThat(invalidate(mw.rkey())).isEqualTo(WcStatus.SUCCESS);
        refused(p, start(), mw.rkey());
        mr.close(); // it is not bound any more
    }

    /** Only what is bound by a request can be invalidated. */
    @Test
    void aWindowOfType1IsNotInvalidated() {
        MemoryWindow mw = bound(MwType.TYPE_1, ALL);
        assertThat(invalidate(mw.rkey())).isEqualTo(WcStatus.LOC_QP_OP_ERR);
        assertThat(p.b.state()).isEqualTo(QpState.ERR);
    }

    @Test
    void aMessageInvalidatesAKeyOfItsReceiver() {
        invalidateByMessage(p, receives);
    }

    /** The completion of an extended CQ says so, too. */
    @Test
    void anExtendedCqTellsOfAnInvalidatedKey() {
        CompletionQueue ex = f.own(f.context.createCqEx(CqConfig.of(64)));
        QpConfig receiver = QpConfig.of(QpType.RC, receives, ex).withSge(4, 4);
        invalidateByMessage(f.new Pair(QpType.RC, sending(QpType.RC), receiver), ex);
    }

    private void invalidateByMessage(Pair p, CompletionQueue receives) {
        MemoryWindow mw = window(MwType.TYPE_2);
        assertThat(bind(p, mw, mr, ALL)).isEqualTo(WcStatus.SUCCESS);
        p.message(4, 8);
        WorkCompletion plain = Fixture.pollOne(receives);
        assertThat(plain.hasInvalidatedRkey()).isFalse();
        Fixture.pollOne(sends);
        p.recv(5);
        p.a.postSend(p.send(6, 8).sendWithInv(mw.rkey()));
        WorkCompletion sent = Fixture.pollOne(sends);
        assertThat(sent.status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(sent.opcode()).isEqualTo(WcOpcode.SEND);
        WorkCompletion got = Fixture.pollOne(receives);
        assertThat(got.status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(got.opcode()).isEqualTo(WcOpcode.RECV);
        assertThat(got.byteLen()).isEqualTo(8);
        assertThat(got.hasInvalidatedRkey()).isTrue();
        assertThat(got.invalidatedRkey()).isEqualTo(mw.rkey());
        assertThat(got.hasImm()).isFalse();
        assertThat(got.toString()).contains("invalidatedRkey=0x" + Integer.toHexString(mw.rkey()));
        refused(p, start(), mw.rkey());
        mr.close();
    }

    /** The sender does not learn of it: the message has arrived, and the receiver fails. */
    @ParameterizedTest
    @EnumSource
    void aMessageThatMayNotInvalidateFailsItsReceiver(MwType type) {
        MemoryWindow mw = bound(type, ALL);
        int rkey = type == MwType.TYPE_1 ? mw.rkey() : MemoryWindow.incRkey(mw.rkey());
        p.recv(5);
        p.a.postSend(p.send(6, 8).sendWithInv(rkey));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        WorkCompletion got = Fixture.pollOne(receives);
        assertThat(got.wrId()).isEqualTo(5);
        assertThat(got.status()).isEqualTo(WcStatus.REM_INV_REQ_ERR);
        Fixture.eventually("b is in ERR", () -> p.b.state() == QpState.ERR);
    }

    @ParameterizedTest
    @EnumSource
    void aRegionMustAllowWindows(MwType type) {
        MemoryRegion other = region(Fixture.anything());
        assertThat(bind(p, window(type), other, Access.REMOTE_READ))
                .isEqualTo(WcStatus.MW_BIND_ERR);
        assertThat(WcStatus.MW_BIND_ERR.hint()).contains("MW_BIND");
    }

    @ParameterizedTest
    @EnumSource
    void whatAPeerMayChangeTheRegionMustLetBeChanged(MwType type) {
        MemoryRegion readable = region(Access.MW_BIND);
        assertThat(bind(p, window(type), readable, Access.REMOTE_READ)).isEqualTo(WcStatus.SUCCESS);
        assertThat(bind(p, window(type), readable, Access.REMOTE_WRITE))
                .isEqualTo(WcStatus.MW_BIND_ERR);
        assertThat(bind(pair(QpType.RC), window(type), readable, Access.REMOTE_ATOMIC))
                .isEqualTo(WcStatus.MW_BIND_ERR);
    }

    /** A bind that was flushed has changed nothing but the key that the program knows. */
    @ParameterizedTest
    @EnumSource
    void aBindThatWasFlushedIsUndoneByItsKey(MwType type) {
        MemoryWindow mw = window(type);
        int before = mw.rkey();
        p.b.modify(QpAttributes.builder().state(QpState.ERR).build());
        assertThat(bind(p, mw, mr, ALL)).isEqualTo(WcStatus.WR_FLUSH_ERR);
        assertThat(bind(pair(QpType.RC), mw, mr, ALL)).isEqualTo(WcStatus.MW_BIND_ERR);
        mw.restoreRkey(before);
        Pair good = pair(QpType.RC);
        assertThat(bind(good, mw, mr, ALL)).isEqualTo(WcStatus.SUCCESS);
        assertThat(write(good, start(), mw.rkey())).isEqualTo(WcStatus.SUCCESS);
        mw.close(); // before the queue pair
    }

    /** The key may follow the bind over the same queue pair: requests are done in order. */
    @Test
    void aBindAndAMessageAreDoneInOrder() {
        MemoryWindow mw = window(MwType.TYPE_2);
        int rkey = MemoryWindow.incRkey(mw.rkey());
        SendWorkRequest message = request(2).send();
        p.a.postRecv(RecvWorkRequest.allocate(1).wrId(3));
        p.b.postSend(request(1).bindMw(mw, rkey, mr, OFFSET, LENGTH, ALL).next(message));
        assertThat(Fixture.pollOne(sends).wrId()).isEqualTo(3);
        assertThat(write(p, start(), rkey)).isEqualTo(WcStatus.SUCCESS);
        assertThat(Fixture.poll(receives, 2))
                .extracting(WorkCompletion::wrId)
                .containsExactly(1L, 2L);
    }

    @Test
    void aRegionIsClosedAfterItsWindows() {
        MemoryWindow mw = bound(MwType.TYPE_2, ALL);
        MemoryWindow unbound = window(MwType.TYPE_1);
        assertThatThrownBy(mr::close)
                .isInstanceOf(VerbsException.class)
                .hasMessageStartingWith("ibv_dereg_mr: E")
                .hasMessageContaining(
                        "; a memory window is bound to it: invalidate or close " + mw + " first")
                .hasMessageNotContaining(unbound.toString());
        assertThat(write(p, start(), mw.rkey()))
                .as("nothing has changed")
                .isEqualTo(WcStatus.SUCCESS);
        int rkey = mw.rkey();
        mw.close();
        mw.close();
        refused(p, start(), rkey);
        mr.close();
    }

    @Test
    void aProtectionDomainNamesItsWindows() {
        try (ProtectionDomain pd = f.context.allocPd();
                MemoryWindow mw = pd.allocMw(MwType.TYPE_1)) {
            assertThat(mw.pd()).isSameAs(pd);
            assertThatThrownBy(pd::close)
                    .hasMessage(
                            "ibv_dealloc_pd: EBUSY: "
                                    + pd
                                    + " is used by 1 memory window ("
                                    + mw
                                    + "): close it first");
        }
    }

    @ParameterizedTest
    @EnumSource
    void datagramsHaveNone(MwType type) {
        Pair ud = pair(QpType.UD);
        MemoryWindow mw = window(type);
        int before = mw.rkey();
        assertThatThrownBy(() -> post(ud, mw, mr, LENGTH, ALL))
                .isInstanceOf(PostException.class)
                .hasMessageContaining("EINVAL");
        assertThat(mw.rkey()).isEqualTo(before);
    }

    @Test
    void theDeviceSaysThatItHasThem() {
        assertThat(f.context.attributes().has(DeviceCapability.MEM_WINDOW)).isTrue();
        assertThat(f.context.attributes().has(DeviceCapability.MEM_WINDOW_TYPE_2B)).isTrue();
        assertThat(f.context.attributes().has(DeviceCapability.MEM_MGT_EXTENSIONS)).isTrue();
        assertThat(f.context.attributes().has(DeviceCapability.MEM_WINDOW_TYPE_2A)).isFalse();
        assertThat(f.context.attributes().maxMw()).isPositive();
    }
}
