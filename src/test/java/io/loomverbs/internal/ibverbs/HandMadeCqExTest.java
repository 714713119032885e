package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcExtras;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libibverbs;

import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** How completions are read from an extended CQ, whose driver is made by hand. */
@SuppressWarnings({"restricted", "UnusedMethod", "UnusedVariable"}) // native code calls them
class HandMadeCqExTest extends HandMadeContext {
    private static final int ALL_EXTRAS =
            Ibv.WC_EX_WITH_COMPLETION_TIMESTAMP
                    | Ibv.WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK
                    | Ibv.WC_EX_WITH_CVLAN
                    | Ibv.WC_EX_WITH_FLOW_TAG;

    /** A completion that the driver has. */
    private record Had(long wrId, int status, int opcode, int flags) {}

    private final Arena arena = Arena.ofShared();
    private final MemorySegment cq = arena.allocate(512, 8);
    private final Deque<Had> there = new ArrayDeque<>();

    /** What the driver was asked, in order; its lock is held between a start and an end. */
    private final List<String> calls = new ArrayList<>();

    private Had now;
    private boolean isLocked;

    /** What a start answers that finds something; 0 to begin. */
    private int startFails;

    /** How many starts find the clock being set. */
    private int busyStarts;

    private int start(long of, long attr) {
        calls.add("start");
        assertThat(of).isEqualTo(cq.address());
        assertThat(attr).isNotZero();
        assertThat(isLocked).isFalse();
        if (busyStarts > 0) {
            busyStarts--;
            return Errno.EBUSY;
        }
        if (startFails != 0) {
            return startFails;
        }
        isLocked = !there.isEmpty();
        return next();
    }

    private int next() {
        if (there.isEmpty()) {
            return Errno.ENOENT;
        }
        now = there.remove();
        cq.set(JAVA_LONG, IbvLayouts.IbvCqEx.WR_ID, now.wrId);
        cq.set(JAVA_INT, IbvLayouts.IbvCqEx.STATUS, now.status);
        return 0;
    }

    private void end(long of) {
        calls.add("end");
        assertThat(isLocked).isTrue();
        isLocked = false;
    }

    private int opcode(long of) {
        return now.opcode;
    }

    private int flags(long of) {
        return now.flags;
    }

    private int vendorErr(long of) {
        calls.add("vendorErr");
        return 0x81;
    }

    private int byteLen(long of) {
        return 1000;
    }

    private int immData(long of) {
        calls.add("immData");
        return 0x0403_0201;
    }

    private int qpNum(long of) {
        return 0x11;
    }

    private int srcQp(long of) {
        return 0x22;
    }

    private int slid(long of) {
        return 0x33;
    }

    private byte sl(long of) {
        return (byte) 0x84;
    }

    private byte pathBits(long of) {
        return (byte) 0xff;
    }

    private long time(long of) {
        calls.add("time");
        return -2;
    }

    private long timeOfDay(long of) {
        return 1_700_000_000_000_000_000L;
    }

    private short cvlan(long of) {
        return (short) 0xfedc;
    }

    private int flowTag(long of) {
        return -7;
    }

    private IbvCqEx create(int wcFlags) throws ReflectiveOperationException {
        set(IbvLayouts.IbvCqEx.START_POLL, "start", JAVA_INT, JAVA_LONG, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.END_POLL, "end", null, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_OPCODE, "opcode", JAVA_INT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_WC_FLAGS, "flags", JAVA_INT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_VENDOR_ERR, "vendorErr", JAVA_INT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_BYTE_LEN, "byteLen", JAVA_INT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_IMM_DATA, "immData", JAVA_INT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_QP_NUM, "qpNum", JAVA_INT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_SRC_QP, "srcQp", JAVA_INT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_SLID, "slid", JAVA_INT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_SL, "sl", JAVA_BYTE, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_DLID_PATH_BITS, "pathBits", JAVA_BYTE, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_COMPLETION_TS, "time", JAVA_LONG, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_COMPLETION_WALLCLOCK_NS, "timeOfDay", JAVA_LONG, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_CVLAN, "cvlan", JAVA_SHORT, JAVA_LONG);
        set(IbvLayouts.IbvCqEx.READ_FLOW_TAG, "flowTag", JAVA_INT, JAVA_LONG);
        CqListener deaf =
                new CqListener() {
                    @Override
                    public void completionEvent() {}

                    @Override
                    public void asyncEvent(int type) {}
                };
        cq.set(JAVA_LONG, 0, context.address());
        cq.set(JAVA_INT, IbvLayouts.IbvCq.CQE, 16);
        return IbvCqEx.create(
                context, wcFlags, deaf, Libibverbs.callState(arena), id -> cq.address(), "by hand");
    }

    private void set(int field, String method, ValueLayout returned, ValueLayout... parameters)
            throws ReflectiveOperationException {
        FunctionDescriptor type =
                returned == null
                        ? FunctionDescriptor.ofVoid(parameters)
                        : FunctionDescriptor.of(returned, parameters);
        MethodType javaType = type.toMethodType();
        MemorySegment stub =
                Linker.nativeLinker()
                        .upcallStub(
                                MethodHandles.lookup().bind(this, method, javaType), type, arena);
        cq.set(JAVA_LONG, field, stub.address());
    }

    private static MemorySegment batch(int capacity) {
        return MemorySegment.ofArray(new long[capacity * WcStruct.BYTES / Long.BYTES]);
    }

    /** All that verbs has of a receive, wherever the batch begins. */
    @Test
    void everyField() throws Exception {
        IbvCqEx ex = create(ALL_EXTRAS);
        assertThat(ex.cqe()).isEqualTo(16);
        there.add(new Had(5, Ibv.WC_SUCCESS, Ibv.WC_RECV, Ibv.WC_GRH | Ibv.WC_WITH_IMM));
        MemorySegment wcs = batch(3);
        long[] extras = new long[3 * WcExtras.LONGS];
        int at = 2 * WcStruct.BYTES;
        assertThat(ex.pollEx(wcs, at, 1, extras)).isOne();
        assertThat(WcStruct.wrId(wcs, at)).isEqualTo(5);
        assertThat(WcStruct.status(wcs, at)).isZero();
        assertThat(WcStruct.opcode(wcs, at)).isEqualTo(Ibv.WC_RECV);
        assertThat(WcStruct.byteLen(wcs, at)).isEqualTo(1000);
        assertThat(WcStruct.immData(wcs, at)).isEqualTo(0x0403_0201);
        assertThat(WcStruct.qpNum(wcs, at)).isEqualTo(0x11);
        assertThat(WcStruct.srcQp(wcs, at)).isEqualTo(0x22);
        assertThat(WcStruct.wcFlags(wcs, at)).isEqualTo(Ibv.WC_GRH | Ibv.WC_WITH_IMM);
        assertThat(WcStruct.slid(wcs, at)).isEqualTo(0x33);
        assertThat(WcStruct.sl(wcs, at)).isEqualTo(0x84);
        assertThat(WcStruct.dlidPathBits(wcs, at)).isEqualTo(0xff);
        assertThat(WcStruct.vendorErr(wcs, at)).isZero();
        assertThat(extras).containsExactly(0, 0, 0, 0, 0, 0, -2, 1_700_000_000_000_000_000L, TAGS);
        assertThat(calls).containsExactly("start", "immData", "time", "end");
        assertThat(isLocked).isFalse();
    }

    private static final long TAGS = 0xfedcL << 32 | 0xffff_fff9L;

    /** What was not asked for is not read: its pointer may be null. */
    @Test
    void whatWasNotAskedForIsNotRead() throws Exception {
        IbvCqEx ex = create(Ibv.WC_EX_WITH_FLOW_TAG);
        cq.set(JAVA_LONG, IbvLayouts.IbvCqEx.READ_COMPLETION_TS, 0);
        cq.set(JAVA_LONG, IbvLayouts.IbvCqEx.READ_COMPLETION_WALLCLOCK_NS, 0);
        cq.set(JAVA_LONG, IbvLayouts.IbvCqEx.READ_CVLAN, 0);
        there.add(new Had(5, Ibv.WC_SUCCESS, Ibv.WC_SEND, 0));
        long[] extras = new long[WcExtras.LONGS];
        assertThat(ex.pollEx(batch(1), 0, 1, extras)).isOne();
        assertThat(extras).containsExactly(0, 0, 0xffff_fff9L);
    }

    /** A failure has its number and the driver's, and nothing else is read of it. */
    @Test
    void aFailure() throws Exception {
        IbvCqEx ex = create(ALL_EXTRAS);
        there.add(new Had(5, Ibv.WC_WR_FLUSH_ERR, 77, -1));
        MemorySegment wcs = batch(1);
        long[] extras = {1, 2, 3};
        assertThat(ex.pollEx(wcs, 0, 1, extras)).isOne();
        assertThat(WcStruct.status(wcs, 0)).isEqualTo(Ibv.WC_WR_FLUSH_ERR);
        assertThat(WcStruct.vendorErr(wcs, 0)).isEqualTo(0x81);
        assertThat(WcStruct.qpNum(wcs, 0)).isEqualTo(0x11);
        assertThat(WcStruct.opcode(wcs, 0)).isZero();
        assertThat(extras).containsExactly(0, 0, 0);
        assertThat(calls).containsExactly("start", "vendorErr", "end");
    }

    /** No completion is taken that has no room, and none is begun that is not ended. */
    @Test
    void portions() throws Exception {
        IbvCqEx ex = create(0);
        for (int i = 0; i < 5; i++) {
            there.add(new Had(i, Ibv.WC_SUCCESS, Ibv.WC_SEND, 0));
        }
        MemorySegment wcs = batch(3);
        assertThat(ex.poll(wcs, 0, 0)).isZero();
        assertThat(calls).isEmpty();
        assertThat(ex.poll(wcs, 0, 3)).isEqualTo(3);
        assertThat(WcStruct.wrId(wcs, 2 * WcStruct.BYTES)).isEqualTo(2);
        assertThat(calls).containsExactly("start", "end", "start", "end", "start", "end");
        calls.clear();
        assertThat(ex.poll(wcs, 0, 3)).isEqualTo(2);
        assertThat(calls).containsExactly("start", "end", "start", "end", "start");
        calls.clear();
        assertThat(ex.poll(wcs, 0, 3)).isZero();
        assertThat(calls).as("an empty CQ is not ended").containsExactly("start");
        assertThat(ex.polled()).isEqualTo(5);
    }

    @Test
    void aStartThatFails() throws Exception {
        IbvCqEx ex = create(0);
        startFails = Errno.EINVAL;
        assertThat(ex.poll(batch(1), 0, 1)).isEqualTo(-Errno.EIO);
        assertThat(calls).containsExactly("start");
        startFails = -Errno.ENOENT; // CQ_POLL_ERR of mlx5: there is one, but it cannot be read
        assertThat(ex.poll(batch(1), 0, 1)).isEqualTo(-Errno.EIO);
        startFails = 0;
        assertThat(ex.poll(batch(1), 0, 1)).isZero();
    }

    /** The driver's clock is being set: the completion is still there, and is read. */
    @Test
    void aStartThatIsBusyForAMoment() throws Exception {
        IbvCqEx ex = create(ALL_EXTRAS);
        there.add(new Had(5, Ibv.WC_SUCCESS, Ibv.WC_SEND, 0));
        there.add(new Had(6, Ibv.WC_SUCCESS, Ibv.WC_SEND, 0));
        busyStarts = 3;
        assertThat(ex.pollEx(batch(1), 0, 1, new long[WcExtras.LONGS])).isOne();
        busyStarts = 1;
        assertThat(ex.poll(batch(2), 0, 2)).isOne();
        busyStarts = Integer.MAX_VALUE;
        assertThat(ex.poll(batch(1), 0, 1)).isEqualTo(-Errno.EIO);
        busyStarts = 0;
        assertThat(ex.poll(batch(1), 0, 1)).isZero();
    }

    /** The kernel's number of WITH_INV, which soft-RoCE gives, is another than that of verbs. */
    @Test
    void theFlagsOfTheKernel() throws Exception {
        IbvCqEx ex = create(0);
        context.kernelFlags = true;
        there.add(new Had(5, Ibv.WC_SUCCESS, Ibv.WC_RECV, Ibv.WC_IP_CSUM_OK));
        MemorySegment wcs = batch(1);
        assertThat(ex.poll(wcs, 0, 1)).isOne();
        assertThat(WcStruct.wcFlags(wcs, 0)).isEqualTo(Ibv.WC_WITH_INV);
        assertThat(WcStruct.immData(wcs, 0)).isEqualTo(0x0403_0201);
    }

    /** A destroyed CQ is read no more. */
    @Test
    void afterTheEnd() throws Exception {
        IbvCqEx ex = create(0);
        assertThat(ex.destroy(() -> 0)).isZero();
        assertThat(ex.poll(batch(1), 0, 1)).isEqualTo(-Errno.EINVAL);
        assertThat(calls).isEmpty();
    }
}
