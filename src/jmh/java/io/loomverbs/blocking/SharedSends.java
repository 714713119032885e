package io.loomverbs.blocking;

import com.sun.management.OperatingSystemMXBean;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletions;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Many virtual threads that send over one queue pair, beside one thread that posts and polls by
 * hand in batches of 16. Arguments: device, threads, places in the send queue, seconds, rounds.
 */
public final class SharedSends {
    private static final int BYTES = 64;
    private static final int BATCH = 16;
    private static final int RECEIVES = 256;

    private final String device;
    private final int threads;
    private final int places;
    private final long nanos;

    private SharedSends(String device, int threads, int places, long nanos) {
        this.device = device;
        this.threads = threads;
        this.places = places;
        this.nanos = nanos;
    }

    /** Measures both in turns. */
    public static void main(String[] args) throws Exception {
        SharedSends run =
                new SharedSends(
                        args.length > 0 ? args[0] : "soft0",
                        args.length > 1 ? Integer.parseInt(args[1]) : 1000,
                        args.length > 2 ? Integer.parseInt(args[2]) : 1024,
                        (long) ((args.length > 3 ? Double.parseDouble(args[3]) : 2) * 1e9));
        int rounds = args.length > 4 ? Integer.parseInt(args[4]) : 5;
        for (int i = 0; i < rounds; i++) {
            long before = cpuNanos();
            double byHand = run.byHand();
            long between = cpuNanos();
            double blocking = run.blocking();
            long after = cpuNanos();
            System.out.printf(
                    Locale.ROOT,
                    "by hand %,.0f messages/s (%.2f us of CPU each), blocking %,.0f (%.2f us),"
                            + " ratio %.2f%n",
                    byHand,
                    (between - before) / 1e3 / (byHand * run.nanos / 1e9),
                    blocking,
                    (after - between) / 1e3 / (blocking * run.nanos / 1e9),
                    blocking / byHand);
        }
    }

    private static long cpuNanos() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    private double byHand() {
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(2L * BYTES, Access.LOCAL_WRITE);
                CompletionQueue cq = context.createDirectCq(4 * BATCH);
                QueuePair a = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(2 * BATCH, 1));
                QueuePair b = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(1, 2 * BATCH))) {
            a.connect(b.endpoint());
            b.connect(a.endpoint());
            SendWorkRequest first = null;
            RecvWorkRequest firstReceive = null;
            for (int i = 0; i < BATCH; i++) {
                SendWorkRequest send =
                        SendWorkRequest.allocate(1, 0).send().sge(memory, 0, BYTES).next(first);
                first = first == null ? send.signaled() : send;
                firstReceive =
                        RecvWorkRequest.allocate(1).sge(memory, BYTES, BYTES).next(firstReceive);
            }
            WorkCompletions batch = WorkCompletions.allocate(4 * BATCH);
            long sent = 0;
            long start = System.nanoTime();
            long end = start + nanos;
            while (System.nanoTime() < end) {
                b.postRecv(firstReceive);
                a.postSend(first);
                int missing = BATCH + 1;
                while (missing > 0) {
                    missing -= cq.poll(batch);
                    for (int i = 0; i < batch.size(); i++) {
                        if (!batch.isSuccess(i)) {
                            throw new AssertionError(batch.get(i));
                        }
                    }
                }
                sent += BATCH;
            }
            return sent * 1e9 / (System.nanoTime() - start);
        }
    }

    private double blocking() throws Exception {
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(BYTES, Access.LOCAL_WRITE);
                BufferPool pool = BufferPool.of(pd, BYTES, RECEIVES);
                CompletionQueue cq = context.createDirectCq(places + RECEIVES);
                CompletionQueue peerCq = context.createDirectCq(places + RECEIVES);
                QueuePair a = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(places, 1));
                QueuePair b = pd.createQp(QpConfig.of(QpType.RC, peerCq).withWr(1, RECEIVES))) {
            b.init();
            try (Requests sends = Requests.over(a);
                    Requests receives =
                            Requests.over(b, RequestsConfig.of().withReceives(RECEIVES, pool))) {
                b.connect(a.endpoint());
                a.connect(b.endpoint());
                return measure(sends, receives, Buffer.of(memory));
            }
        }
    }

    private double measure(Requests sends, Requests receives, Buffer message) throws Exception {
        Thread receiver =
                Thread.startVirtualThread(
                        () -> {
                            try {
                                while (true) {
                                    receives.receive().close();
                                }
                            } catch (InterruptedException | ClosedException e) {
                                // The end.
                            }
                        });
        LongAdder sent = new LongAdder();
        List<Thread> senders = new ArrayList<>();
        long start = System.nanoTime();
        long end = start + nanos;
        for (int i = 0; i < threads; i++) {
            senders.add(
                    Thread.startVirtualThread(
                            () -> {
                                try {
                                    while (System.nanoTime() < end) {
                                        sends.send(message);
                                        sent.increment();
                                    }
                                } catch (InterruptedException e) {
                                    throw new AssertionError(e);
                                }
                            }));
        }
        for (Thread sender : senders) {
            sender.join();
        }
        double rate = sent.sum() * 1e9 / (System.nanoTime() - start);
        receiver.interrupt();
        while (receiver.isAlive()) {
            LockSupport.parkNanos(1_000_000);
        }
        return rate;
    }
}
