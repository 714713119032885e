package io.loomverbs.walk;

import static io.loomverbs.QpType.RC;
import static io.loomverbs.QpType.UC;
import static io.loomverbs.QpType.UD;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Mtu;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.walk.Doing.Arm;
import io.loomverbs.walk.Doing.Fault;
import io.loomverbs.walk.Doing.Kind;
import io.loomverbs.walk.Doing.Receive;
import io.loomverbs.walk.Doing.Send;
import io.loomverbs.walk.Seen.Done;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * A programme of verbs that a seed decides, on one device. Programmes of one seed on two devices
 * that are taken in step do the same: what they decide depends on the seed and on what was seen.
 */
final class Programme implements AutoCloseable {
    private static final int[] LENGTHS = {0, 1, 7, 8, 255, 256, 257, 1023, 1024, 1025, 3000};
    private static final int BYTES = 16 * 1024;
    private static final int NO_KEY = 0x7777_7700;
    private static final int GRH = 40;

    private final Context context;
    private final ProtectionDomain pd;
    private final List<AutoCloseable> owned = new ArrayList<>();
    private final MemoryRegion[] memory = new MemoryRegion[2];
    private final MemoryRegion readOnly;

    /** Of side 0 for sends and receives, and of side 1. */
    private final CompletionQueue[] cqs = new CompletionQueue[4];

    private final QueuePair[] qps = new QueuePair[2];
    private final AddressHandle[] to = new AddressHandle[2];
    private final QpType type;
    private final QpAttributes path;
    private final WorkCompletions batch = WorkCompletions.allocate(64);
    private final long seed;
    private long lastId;
    private int retries;

    /** What is posted and has not completed. */
    private final List<List<Receive>> receives = List.of(new ArrayList<>(), new ArrayList<>());

    private final List<List<Long>> sends = List.of(new ArrayList<>(), new ArrayList<>());
    private final Arm[] arms = {Arm.NOTHING, Arm.NOTHING, Arm.NOTHING, Arm.NOTHING};

    /** What has come since the last step. */
    private final List<List<Done>> found =
            List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());

    private final int[] events = new int[4];
    private final Set<Long> withImm = new HashSet<>();
    private @Nullable String refusal;

    Programme(String device, long seed) {
        this.seed = seed;
        Dice dice = new Dice(seed, -1);
        type = dice.of(RC, RC, RC, UC, UD);
        List<Access> access = new ArrayList<>();
        for (Access a : Fixture.anything()) {
            if (!dice.oneIn(8)) {
                access.add(a);
            }
        }
        QpAttributes.Builder b = QpAttributes.builder().access(access.toArray(new Access[0]));
        if (type != UD) {
            b.pathMtu(dice.of(Mtu.MTU_256, Mtu.MTU_1024));
        }
        if (type == RC) {
            b.timeout(10).retryCnt(dice.of(1, 2, 2, 7));
            b.rnrRetry(dice.below(2)).minRnrTimer(1);
            b.maxRdAtomic(dice.of(4, 4, 4, 4, 0)).maxDestRdAtomic(4);
        }
        path = b.build();
        context = own(Verbs.device(device).open());
        pd = own(context.allocPd());
        readOnly = own(pd.allocateMr(BYTES, Access.REMOTE_READ));
        for (int i = 0; i < cqs.length; i++) {
            cqs[i] = own(context.createDirectCq(256));
        }
        for (int i = 0; i < 2; i++) {
            memory[i] = own(pd.allocateMr(BYTES, Fixture.anything()));
            qps[i] =
                    own(
                            pd.createQp(
                                    QpConfig.of(type, cqs[2 * i], cqs[2 * i + 1])
                                            .withSge(2, 2)
                                            .withInlineData(32)
                                            .withWr(15, 15)));
        }
        fill();
        connect(0);
        connect(1);
    }

    @Override
    public String toString() {
        return context.device().name() + ", " + type + " with " + path;
    }

    private <T extends AutoCloseable> T own(T object) {
        owned.addFirst(object);
        return object;
    }

    /** Takes a step; its outcome has to be looked for. */
    Doing step(int number) {
        Dice dice = new Dice(seed, number);
        Before before = new Before();
        int side = dice.below(2);
        refusal = null;
        try {
            return switch (dice.below(16)) {
                case 0, 1, 2, 3, 4 -> before.did(receive(side, dice));
                case 5, 6, 7, 8, 9, 10 -> send(side, dice, before);
                case 11 -> before.did(arm(side, dice));
                case 12 -> before.did(modify(side, dice));
                case 13 -> before.did(resize(side, dice));
                case 14 -> before.did(again(dice));
                default -> before.did(dice.oneIn(3) ? change(side, QpState.ERR) : "nothing");
            };
        } catch (VerbsException e) {
            refusal = e.errnoName() + " of " + e.verb();
            return before.did("a call");
        }
    }

    /** What was there before a step. */
    private final class Before {
        private final List<QpState> states = List.of(qps[0].state(), qps[1].state());
        private final List<List<Receive>> waiting =
                List.of(List.copyOf(receives.get(0)), List.copyOf(receives.get(1)));
        private final List<Arm> armed = List.of(arms);

        Doing did(String what) {
            return did(what, null);
        }

        Doing did(String what, @Nullable Send send) {
            int rd = type == RC ? path.maxRdAtomic() : 0;
            return new Doing(
                    what,
                    type,
                    send,
                    refusal,
                    states,
                    waiting,
                    armed,
                    Set.copyOf(withImm),
                    mtu(),
                    retries,
                    rd);
        }
    }

    private int mtu() {
        return type == UD ? 0 : path.pathMtu().bytes();
    }

    private void connect(int side) {
        QueuePair qp = qps[side];
        if (type == UD) {
            qp.activate(Tame.QKEY);
            if (to[side] == null) {
                to[side] = own(pd.createAh(qp.addressOf(qps[1 - side].endpoint())));
            }
        } else {
            qp.connect(qps[1 - side].endpoint(), path);
        }
        retries = type == RC ? path.retryCnt() : 0;
    }

    private String resize(int side, Dice dice) {
        CompletionQueue cq = cqs[2 * side + dice.below(2)];
        int cqe = dice.of(128, 300, 1000);
        cq.resize(cqe);
        return "resize to " + cqe + (cq.cqe() >= cqe ? "" : " gave " + cq.cqe());
    }

    /** Begins anew: both to RESET, without what was left, and connected. */
    private String again(Dice dice) {
        if (!dice.oneIn(2) && qps[0].state() == QpState.RTS && qps[1].state() == QpState.RTS) {
            return "still connected";
        }
        change(0, QpState.RESET);
        change(1, QpState.RESET);
        for (int side = 0; side < 2; side++) {
            receives.get(side).clear();
            sends.get(side).clear();
        }
        connect(0);
        connect(1);
        return "connect again";
    }

    private String change(int side, QpState state) {
        if (qps[side].state() != QpState.RESET) {
            qps[side].modify(QpAttributes.builder().state(state).build());
        }
        return side + " to " + state;
    }

    /** A change that may be a wrong one. */
    private String modify(int side, Dice dice) {
        QpAttributes.Builder b = QpAttributes.builder();
        if (!dice.oneIn(3)) {
            b.state(dice.of(QpState.INIT, QpState.RTR, QpState.RTS, QpState.SQD));
        }
        switch (dice.below(9)) {
            case 0 -> b.qkey(Tame.QKEY);
            case 1 -> b.access(Access.REMOTE_READ, Access.REMOTE_WRITE);
            case 2 -> b.minRnrTimer(1);
            case 3 -> b.timeout(10);
            case 4 -> b.curState(qps[side].state()); // a wrong one: Differences.knowsItsState
            case 5 -> b.sqPsn(5);
            case 6 -> b.pkeyIndex(0);
            default -> {}
        }
        QpAttributes change = b.build();
        String text =
                side + " from " + qps[side].state() + " to " + change.state() + " with " + change;
        try {
            qps[side].modify(change);
            return "modify " + text;
        } catch (VerbsException e) {
            return "modify " + text + ": " + e.errnoName();
        }
    }

    private String arm(int side, Dice dice) {
        int cq = 2 * side + dice.below(2);
        boolean solicited = cq % 2 == 1 && dice.oneIn(2);
        cqs[cq].reqNotify(solicited);
        arms[cq] = solicited && arms[cq] != Arm.ALL ? Arm.SOLICITED : Arm.ALL;
        return "arm CQ " + cq + (solicited ? " solicited" : "");
    }

    private String receive(int side, Dice dice) {
        if (qps[side].state() == QpState.ERR) {
            return "nothing"; // not every device flushes it: Differences.flushesLateReceives
        }
        RecvWorkRequest wr = RecvWorkRequest.allocate(3).wrId(++lastId);
        StringBuilder text = new StringBuilder("receive " + lastId + " at " + side + ":");
        int capacity = 0;
        boolean good = true;
        for (int n = dice.oneIn(30) ? 3 : dice.of(1, 1, 1, 2); n > 0; n--) {
            int length = type == UD ? 4000 : dice.of(8, 64, 300, 1024, 4000, 4000);
            int kind = dice.below(25);
            if (kind == 0) {
                wr.sge(memory[side].address(), length, NO_KEY);
            } else {
                wr.sge(kind == 1 ? readOnly : memory[side], 8192 + n * 1000, length);
            }
            good &= kind > 1;
            capacity += length;
            text.append(' ')
                    .append(length)
                    .append(kind == 0 ? " bad lkey" : kind == 1 ? " read-only" : "");
        }
        qps[side].postRecv(wr);
        receives.get(side).add(new Receive(lastId, capacity, good));
        return text.toString();
    }

    @SuppressWarnings("EnumOrdinal") // any of them, those for other types of queue pairs last
    private Doing send(int side, Dice dice, Before before) {
        int peer = 1 - side;
        int kinds = type == RC ? 7 : type == UC ? 4 : 2;
        Kind kind = Kind.values()[dice.below(dice.oneIn(25) ? 7 : kinds)];
        Fault fault = Fault.values()[Math.min(dice.below(30), Fault.NONE.ordinal())];
        SendWorkRequest wr = SendWorkRequest.allocate(3, 64).wrId(++lastId).signaled();
        MemoryRegion target = fault == Fault.READ_ONLY_TARGET ? readOnly : memory[peer];
        int rkey = fault == Fault.UNKNOWN_RKEY ? NO_KEY : target.rkey();
        long at = target.address() + 8L * dice.below(100);
        at += fault == Fault.BEYOND_TARGET ? BYTES : fault == Fault.ODD_TARGET ? 3 : 0;
        switch (kind) {
            case SEND -> wr.send();
            case SEND_IMM -> wr.sendWithImm((int) lastId);
            case WRITE -> wr.rdmaWrite(at, rkey);
            case WRITE_IMM -> wr.rdmaWriteWithImm(at, rkey, (int) lastId);
            case READ -> wr.rdmaRead(at, rkey);
            case SWAP -> wr.compareAndSwap(at, rkey, at % 3, lastId);
            case ADD -> wr.fetchAndAdd(at, rkey, 3);
        }
        boolean solicited = dice.oneIn(3);
        if (solicited) {
            wr.solicited();
        }
        boolean wrongKey = dice.oneIn(10);
        if (type == UD && kind.isSend()) {
            wr.to(to[side], qps[peer].qpNum(), wrongKey ? 7 : Tame.QKEY);
        }
        boolean inline = !kind.fetches() && dice.oneIn(6);
        int entries = inline ? 0 : dice.oneIn(30) ? 3 : dice.of(1, 1, 2);
        int length = inline ? inline(wr, dice) : list(wr, side, kind, fault, entries, dice);
        if (kind.hasImm()) {
            withImm.add(lastId);
        }
        Send send = new Send(lastId, side, kind, fault, inline, entries, solicited, length);
        try {
            qps[side].postSend(wr);
            sends.get(side).add(lastId);
        } catch (VerbsException e) {
            refusal = e.errnoName() + " of " + e.verb();
        }
        return before.did(
                send + (type == UD && wrongKey ? " wrong qkey" : ""),
                type == UD && wrongKey ? null : send);
    }

    private static int inline(SendWorkRequest wr, Dice dice) {
        int length = dice.of(0, 5, 32);
        wr.inline(MemorySegment.ofArray(new byte[length]));
        return length;
    }

    /** Lists memory; answers how much. */
    private int list(SendWorkRequest wr, int side, Kind kind, Fault fault, int entries, Dice dice) {
        int sum = 0;
        for (int n = 0; n < entries; n++) {
            int length =
                    kind.isAtomic()
                            ? 8
                            : type == UD ? dice.of(0, 1, 7, 255) : LENGTHS[dice.below(11)];
            MemoryRegion own = fault == Fault.READ_ONLY_LOCAL ? readOnly : memory[side];
            switch (fault) {
                case UNKNOWN_LKEY -> wr.sge(own.address(), length, NO_KEY);
                case BEYOND_LOCAL -> wr.sge(own.address() + BYTES - 4, length, own.lkey());
                default -> wr.sge(own, 16L * dice.below(100), length);
            }
            sum += length;
        }
        return sum;
    }

    /** Whether every request that can complete by itself has. */
    boolean isSettled() {
        for (int side = 0; side < 2; side++) {
            QpState state = qps[side].state();
            boolean works = state == QpState.RTS || state == QpState.SQE || state == QpState.ERR;
            if (works && !sends.get(side).isEmpty()) {
                return false;
            }
            if (state == QpState.ERR && !receives.get(side).isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** What has come since the last step. */
    Seen look() {
        for (int cq = 0; cq < cqs.length; cq++) {
            poll(cq);
            for (CqEvent e = cqs[cq].tryGetCqEvent(); e != null; e = cqs[cq].tryGetCqEvent()) {
                e.close();
                events[cq]++;
                arms[cq] = Arm.NOTHING;
            }
        }
        Seen seen =
                new Seen(
                        refusal,
                        found.stream().map(List::copyOf).toList(),
                        List.of(events[0], events[1], events[2], events[3]),
                        List.of(qps[0].state(), qps[1].state()),
                        null);
        return seen.failed() ? seen : seen.withMemory(List.of(contents(0), contents(1)));
    }

    private void poll(int cq) {
        boolean ofReceives = cq % 2 == 1;
        int n = cqs[cq].poll(batch);
        for (int i = 0; i < n; i++) {
            long id = batch.wrId(i);
            if (ofReceives) {
                receives.get(cq / 2).removeIf(r -> r.wrId() == id);
            } else {
                sends.get(cq / 2).remove(id);
            }
            found.get(cq).add(batch.isSuccess(i) ? good(i) : Done.failed(id, batch.status(i)));
        }
    }

    /** The length is valid for what was received or fetched. */
    private Done good(int i) {
        WcOpcode opcode = batch.opcode(i);
        boolean hasLength = opcode != WcOpcode.SEND && opcode != WcOpcode.RDMA_WRITE;
        return new Done(
                batch.wrId(i),
                batch.status(i),
                opcode,
                hasLength ? batch.byteLen(i) : 0,
                batch.hasImm(i),
                batch.hasImm(i) ? batch.immData(i) : 0);
    }

    /** The next step begins. */
    void forget(boolean memoryIsUndefined) {
        found.forEach(List::clear);
        Arrays.fill(events, 0);
        if (memoryIsUndefined) {
            fill();
        }
    }

    private long contents(int side) {
        if (type == UD) { // the routing header has the device's own address
            memory[side].memory().asSlice(9192, GRH).fill((byte) 0);
            memory[side].memory().asSlice(10192, GRH).fill((byte) 0);
        }
        CRC32 crc = new CRC32();
        crc.update(memory[side].memory().asByteBuffer());
        return crc.getValue();
    }

    private void fill() {
        for (int i = 0; i < 2; i++) {
            for (int k = 0; k < BYTES; k++) {
                memory[i].memory().set(ValueLayout.JAVA_BYTE, k, (byte) (k * (i + 3)));
            }
        }
    }

    @Override
    public void close() {
        try {
            for (AutoCloseable object : owned) { // the newest first
                object.close();
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
