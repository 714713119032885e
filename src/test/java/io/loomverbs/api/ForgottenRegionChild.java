package io.loomverbs.api;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Fixture;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;

/** A JVM of its own, in which a program forgets an open region, or closes it. */
public final class ForgottenRegionChild {
    private static final int BYTES = 4096;
    private static final long PATTERN = 0x1234_5678_9abc_def0L;

    private ForgottenRegionChild() {}

    /** What a peer is told of a region, and whether its memory is still there. */
    private record Told(long address, int rkey, WeakReference<MemorySegment.Scope> memory) {}

    /** Prints what a peer finds in a forgotten region, and whether a closed one is kept. */
    public static void main(String[] args) throws Exception {
        try (Context context = Verbs.device(Fixture.DEVICE).open();
                ProtectionDomain pd = context.allocPd();
                CompletionQueue cq = context.createCq(16, null, null, 0);
                QueuePair peer = pd.createQp(QpConfig.of(QpType.RC, cq));
                MemoryRegion here = pd.allocateMr(BYTES, Access.LOCAL_WRITE)) {
            Told told = forget(peer);
            collect();
            boolean kept = told.memory.get() != null;
            here.memory().fill((byte) 7);
            SendWorkRequest wr = SendWorkRequest.allocate(1, 0);
            peer.postSend(
                    wr.rdmaWrite(told.address + BYTES / 2, told.rkey)
                            .sge(here, 0, BYTES / 2)
                            .signaled());
            WorkCompletion written = Fixture.pollOne(cq);
            peer.postSend(wr.clear().rdmaRead(told.address, told.rkey).sge(here).signaled());
            WorkCompletion read = Fixture.pollOne(cq);
            long first = here.memory().get(JAVA_LONG, 0);
            long last = here.memory().get(JAVA_LONG, BYTES - 8);
            System.out.println(
                    "forgotten: kept "
                            + kept
                            + ", WRITE "
                            + written.status()
                            + ", READ "
                            + read.status()
                            + ", intact "
                            + (first == PATTERN && last == 0x0707_0707_0707_0707L));
            peer.modify(QpAttributes.builder().state(QpState.RESET).build());
            Told closed = close();
            collect();
            System.out.println("closed: kept " + (closed.memory.get() != null));
        }
    }

    /** Opens, registers, connects and loses every reference. */
    private static Told forget(QueuePair peer) {
        Context context = Verbs.device(Fixture.DEVICE).open();
        ProtectionDomain pd = context.allocPd();
        MemorySegment memory = Arena.ofAuto().allocate(BYTES, 8);
        for (int at = 0; at < BYTES; at += 8) {
            memory.set(JAVA_LONG, at, PATTERN);
        }
        MemoryRegion mr =
                pd.regMr(memory, Access.LOCAL_WRITE, Access.REMOTE_WRITE, Access.REMOTE_READ);
        CompletionQueue cq = context.createCq(16, null, null, 0);
        QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq));
        QpAttributes grants =
                QpAttributes.builder().access(Access.REMOTE_WRITE, Access.REMOTE_READ).build();
        qp.connect(peer.endpoint(), grants);
        peer.connect(qp.endpoint(), grants);
        return new Told(mr.address(), mr.rkey(), new WeakReference<>(memory.scope()));
    }

    private static Told close() {
        try (Context context = Verbs.device(Fixture.DEVICE).open();
                ProtectionDomain pd = context.allocPd()) {
            MemorySegment memory = Arena.ofAuto().allocate(BYTES, 8);
            try (MemoryRegion mr = pd.regMr(memory)) {
                return new Told(mr.address(), mr.rkey(), new WeakReference<>(memory.scope()));
            }
        }
    }

    private static void collect() throws InterruptedException {
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(50);
        }
    }
}
