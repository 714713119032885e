package io.loomverbs.walk;

import static io.loomverbs.QpType.RC;
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
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32;

/**
 * A programme of verbs that a seed decides, and what came of it on one device: statuses, errnos,
 * states, events and contents of memory, without what must differ, such as numbers and keys.
 */
final class Programme implements AutoCloseable {
    private static final int[] LENGTHS = {0, 1, 7, 8, 255, 256, 257, 1023, 1024, 1025, 3000};
    private static final int BYTES = 16 * 1024;
    private static final int PATIENCE_MILLIS = 2000;

    private final Context context;
    private final ProtectionDomain pd;
    private final List<AutoCloseable> owned = new ArrayList<>();
    private final MemoryRegion[] memory = new MemoryRegion[2];
    private final MemoryRegion readOnly;
    private final CompletionQueue[] sent = new CompletionQueue[2];
    private final CompletionQueue[] received = new CompletionQueue[2];
    private final QueuePair[] qps = new QueuePair[2];
    private final AddressHandle[] to = new AddressHandle[2];
    private final QpType type;
    private final QpAttributes path;
    private final WorkCompletions batch = WorkCompletions.allocate(64);
    private final List<String> trace = new ArrayList<>();
    private final long seed;
    private long lastId;

    Programme(String device, long seed) {
        this.seed = seed;
        Dice dice = new Dice(seed, -1);
        type = dice.of(RC, RC, RC, QpType.UC, UD);
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
            b.timeout(12).retryCnt(7).rnrRetry(dice.below(2)).minRnrTimer(1);
            b.maxRdAtomic(4).maxDestRdAtomic(4);
        }
        path = b.build();
        context = own(Verbs.device(device).open());
        pd = own(context.allocPd());
        readOnly = own(pd.allocateMr(BYTES, Access.REMOTE_READ));
        for (int i = 0; i < 2; i++) {
            memory[i] = own(pd.allocateMr(BYTES, Fixture.anything()));
            sent[i] = own(context.createDirectCq(256));
            received[i] = own(context.createDirectCq(256));
        }
        fill();
        QpConfig config =
                QpConfig.of(type, sent[0], received[0])
                        .withSge(2, 2)
                        .withInlineData(32)
                        .withWr(15, 15);
        qps[0] = own(pd.createQp(config));
        qps[1] =
                own(
                        pd.createQp(
                                QpConfig.of(type, sent[1], received[1])
                                        .withSge(2, 2)
                                        .withInlineData(32)
                                        .withWr(15, 15)));
        trace.add(
                type
                        + " with "
                        + access
                        + ", "
                        + path.pathMtu()
                        + ", retries "
                        + path.retryCnt()
                        + ", rnr "
                        + path.rnrRetry()
                        + ", rd "
                        + path.maxRdAtomic()
                        + "/"
                        + path.maxDestRdAtomic());
        connect(0);
        connect(1);
    }

    private <T extends AutoCloseable> T own(T object) {
        owned.addFirst(object);
        return object;
    }

    List<String> run(int steps) throws InterruptedException {
        for (int step = 0; step < steps; step++) {
            Dice dice = new Dice(seed, step);
            String what;
            try {
                what = step(dice);
            } catch (VerbsException e) {
                what = "errno " + e.errnoName() + " of " + e.verb();
            }
            settle();
            trace.add(step + ": " + what + outcome());
        }
        return trace;
    }

    private String step(Dice dice) {
        int side = dice.below(2);
        return switch (dice.below(16)) {
            case 0, 1, 2, 3, 4 -> receive(side, dice);
            case 5, 6, 7, 8, 9, 10 -> send(side, dice);
            case 11 -> arm(side, dice);
            case 12 -> modify(side, dice);
            case 13 -> {
                CompletionQueue cq = dice.oneIn(2) ? sent[side] : received[side];
                int cqe = dice.of(128, 300, 1000);
                cq.resize(cqe);
                yield "resize to " + cqe + (cq.cqe() >= cqe ? "" : " gave " + cq.cqe());
            }
            case 14 -> again(dice);
            default -> dice.oneIn(3) ? change(side, QpState.ERR) : "nothing";
        };
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
    }

    /** Begins anew: both to RESET, without what was left, and connected. */
    private String again(Dice dice) {
        if (!dice.oneIn(2) && qps[0].state() == QpState.RTS && qps[1].state() == QpState.RTS) {
            return "still connected";
        }
        change(0, QpState.ERR);
        change(1, QpState.ERR);
        settle();
        String flushed = outcome();
        change(0, QpState.RESET);
        change(1, QpState.RESET);
        settle();
        outcome();
        connect(0);
        connect(1);
        return "connect again, flushed " + flushed;
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
        switch (dice.below(10)) {
            case 0 -> b.qkey(Tame.QKEY);
            case 1 -> b.access(Access.REMOTE_READ, Access.REMOTE_WRITE);
            case 2 -> b.minRnrTimer(1);
            case 3 -> b.timeout(12);
            case 4 -> b.retryCnt(1);
            case 5 -> b.curState(dice.of(QpState.RTS, QpState.RTR, QpState.INIT));
            case 6 -> b.sqPsn(5);
            case 7 -> b.pkeyIndex(0);
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
        boolean sends = dice.oneIn(2);
        boolean solicited = !sends && dice.oneIn(2);
        (sends ? sent[side] : received[side]).reqNotify(solicited);
        return "arm " + side + (sends ? " sends" : " receives") + (solicited ? " solicited" : "");
    }

    private String receive(int side, Dice dice) {
        if (qps[side].state() == QpState.ERR) {
            return "nothing"; // not every device flushes it
        }
        RecvWorkRequest wr = RecvWorkRequest.allocate(3).wrId(++lastId);
        StringBuilder text = new StringBuilder("receive " + lastId + " at " + side + ":");
        for (int n = dice.oneIn(30) ? 3 : dice.of(1, 1, 1, 2); n > 0; n--) {
            int length = type == UD ? 4000 : dice.of(8, 64, 300, 1024, 4000, 4000);
            int kind = type == RC ? dice.below(25) : 2;
            if (kind == 0) {
                wr.sge(memory[side].address(), length, 0x7777_7700);
            } else {
                wr.sge(kind == 1 ? readOnly : memory[side], 8192 + n * 1000, length);
            }
            text.append(' ')
                    .append(length)
                    .append(kind == 0 ? " bad lkey" : kind == 1 ? " read-only" : "");
        }
        qps[side].postRecv(wr);
        return text.toString();
    }

    private String send(int side, Dice dice) {
        SendWorkRequest wr = SendWorkRequest.allocate(3, 64).wrId(++lastId);
        int peer = 1 - side;
        int kinds = type == RC ? 7 : type == QpType.UC ? 4 : 2;
        int kind = dice.below(dice.oneIn(25) ? 7 : kinds);
        int fault = type == RC ? dice.below(30) : 6 + dice.below(20);
        MemoryRegion target = fault == 0 ? readOnly : memory[peer];
        int rkey = fault == 1 ? 0x7777_7700 : target.rkey();
        long at =
                target.address()
                        + 8L * dice.below(100)
                        + (fault == 2 ? BYTES : 0)
                        + (fault == 3 && kind < 5 ? 3 : 0);
        switch (kind) {
            case 0 -> wr.send();
            case 1 -> wr.sendWithImm((int) lastId);
            case 2 -> wr.rdmaWrite(at, rkey);
            case 3 -> wr.rdmaWriteWithImm(at, rkey, (int) lastId);
            case 4 -> wr.rdmaRead(at, rkey);
            case 5 -> wr.compareAndSwap(at, rkey, at % 3, lastId);
            default -> wr.fetchAndAdd(at, rkey, 3);
        }
        StringBuilder text =
                new StringBuilder(
                        "send " + lastId + " at " + side + " kind " + kind + " fault " + fault
                                + ":");
        if (dice.oneIn(3)) {
            wr.solicited();
            text.append(" solicited");
        }
        if (type == UD && kind < 2) {
            wr.to(to[side], qps[peer].qpNum(), dice.oneIn(10) ? 7 : Tame.QKEY);
        }
        if (kind < 4 && dice.oneIn(6)) {
            int length = dice.of(0, 5, 32);
            wr.inline(MemorySegment.ofArray(new byte[length]));
            text.append(" inline ").append(length);
        } else {
            for (int n = dice.oneIn(30) ? 3 : dice.of(1, 1, 2); n > 0; n--) {
                int length = kind >= 5 ? 8 : type == UD ? dice.of(0, 1, 7, 255) : dice.of(LENGTHS);
                if (fault == 4) {
                    wr.sge(memory[side].address(), length, 0x7777_7700);
                } else if (fault == 5) {
                    wr.sge(memory[side].address() + BYTES - 4, length, memory[side].lkey());
                } else {
                    wr.sge(fault == 6 ? readOnly : memory[side], 16L * dice.below(100), length);
                }
                text.append(' ').append(length);
            }
        }
        qps[side].postSend(wr.signaled());
        waitForOne(sent[side]);
        return text.toString();
    }

    /** A request that was posted to a queue pair in RTS completes. */
    private void waitForOne(CompletionQueue cq) {
        for (int i = 0; i < PATIENCE_MILLIS; i++) {
            List<String> some = found.get(cq == sent[0] ? 0 : 2);
            poll(cq, some);
            if (!some.isEmpty()) {
                return;
            }
            LockSupport.parkNanos(1_000_000);
        }
        trace.add("nothing completes");
    }

    private final List<List<String>> found =
            List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());

    private void poll(CompletionQueue cq, List<String> into) {
        int n = cq.poll(batch);
        for (int i = 0; i < n; i++) {
            boolean good = batch.isSuccess(i);
            boolean receive = cq == received[0] || cq == received[1];
            into.add(
                    batch.wrId(i)
                            + " "
                            + comparable(batch.status(i))
                            + (good ? " " + batch.opcode(i) : "")
                            + (good && receive ? " " + batch.byteLen(i) : "")
                            + (good && receive && batch.hasImm(i)
                                    ? " imm " + batch.immData(i)
                                    : ""));
        }
    }

    /** Waits until nothing has come for a while. */
    private void settle() {
        for (int quiet = 0; quiet < 3; quiet++) {
            LockSupport.parkNanos(
                    Verbs.device(context.device().name()).name().startsWith("rxe")
                            ? 3_000_000
                            : 300_000);
            int before = found.stream().mapToInt(List::size).sum();
            poll(sent[0], found.get(0));
            poll(received[0], found.get(1));
            poll(sent[1], found.get(2));
            poll(received[1], found.get(3));
            if (found.stream().mapToInt(List::size).sum() > before) {
                quiet = 0;
            }
        }
    }

    /** What has come since the last look. After a failure the contents of memory are undefined. */
    private String outcome() {
        boolean failed = found.stream().flatMap(List::stream).anyMatch(c -> !c.contains("SUCCESS"));
        String text = " -> " + found + " " + qps[0].state() + " " + qps[1].state();
        found.forEach(List::clear);
        for (int i = 0; i < 2; i++) {
            text += " " + events(sent[i]) + events(received[i]);
            text += failed ? "" : " " + Long.toHexString(contents(i));
        }
        if (failed) {
            fill();
        }
        return text;
    }

    private long contents(int side) {
        if (type == UD) { // the routing header has the device's own address
            memory[side].memory().asSlice(9192, 40).fill((byte) 0);
            memory[side].memory().asSlice(10192, 40).fill((byte) 0);
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

    /** Kinds of failures that devices distinguish in different ways: docs/testing.md. */
    private static WcStatus comparable(WcStatus status) {
        return switch (status) {
            case LOC_QP_OP_ERR -> WcStatus.LOC_PROT_ERR;
            case REM_OP_ERR -> WcStatus.REM_INV_REQ_ERR;
            default -> status;
        };
    }

    private static String events(CompletionQueue cq) {
        int n = 0;
        for (CqEvent e = cq.tryGetCqEvent(); e != null; e = cq.tryGetCqEvent()) {
            e.close();
            n++;
        }
        return n == 0 ? "-" : "E" + n;
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
