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
import io.loomverbs.testkit.Distribution;
import io.loomverbs.testkit.Faults;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Many virtual threads that send over one queue pair, beside one thread that posts and polls by
 * hand in batches of 16; and how often a thread was parked until another one completed its send.
 * Arguments: device, threads, places in the send queue, seconds, rounds, and the microseconds by
 * which requests are delayed: 20 on an embedded device, which else completes them during the post.
 */
public final class SharedSends {
    private static final int BYTES = 64;
    private static final int BATCH = 16;

    private final String device;
    private final int threads;
    private final int places;
    private final long nanos;
    private final long delayMicros;

    /** As many as messages can be under way: what is measured is not a peer that is not ready. */
    private final int receives;

    /**
     * Ends a measurement. That of one thread looks at the clock once for 16 messages; in the guest,
     * a look is a system call.
     */
    private volatile boolean over;

    /** Parks for each message, in the last measurement. */
    private double parks;

    private SharedSends(String device, int threads, int places, long nanos, long delayMicros) {
        this.device = device;
        this.threads = threads;
        this.places = places;
        this.nanos = nanos;
        this.delayMicros = delayMicros;
        this.receives = places;
    }

    private Context open() {
        Context context = Verbs.device(device).open();
        if (delayMicros > 0) {
            Faults.of(context).delay(Distribution.fixed(Duration.ofNanos(1000 * delayMicros)));
        }
        return context;
    }

    /** Measures both in turns. */
    public static void main(String[] args) throws Exception {
        String device = args.length > 0 ? args[0] : "soft0";
        boolean embedded = device.equals("soft0") || device.equals("strict0");
        SharedSends run =
                new SharedSends(
                        device,
                        args.length > 1 ? Integer.parseInt(args[1]) : 1000,
                        args.length > 2 ? Integer.parseInt(args[2]) : 1024,
                        (long) ((args.length > 3 ? Double.parseDouble(args[3]) : 2) * 1e9),
                        args.length > 5 ? Long.parseLong(args[5]) : embedded ? 20 : 0);
        int rounds = args.length > 4 ? Integer.parseInt(args[4]) : 5;
        double[] ratios = new double[rounds];
        for (int i = 0; i < rounds; i++) {
            long before = cpuNanos();
            double byHand = run.byHand();
            long between = cpuNanos();
            double blocking = run.blocking();
            long after = cpuNanos();
            System.out.printf(
                    Locale.ROOT,
                    "by hand %,.0f messages/s (%.2f us of CPU each), blocking %,.0f (%.2f us),"
                            + " ratio %.2f, parks a message %.2f%n",
                    byHand,
                    (between - before) / 1e3 / (byHand * run.nanos / 1e9),
                    blocking,
                    (after - between) / 1e3 / (blocking * run.nanos / 1e9),
                    blocking / byHand,
                    run.parks);
            ratios[i] = blocking / byHand;
        }
        Arrays.sort(ratios);
        System.out.printf(
                Locale.ROOT,
                "median ratio %.2f (%.2f to %.2f), bar 0.5%n",
                ratios[rounds / 2],
                ratios[0],
                ratios[rounds - 1]);
    }

    private static long cpuNanos() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    private double byHand() {
        try (Context context = open();
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
        try (Context context = open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(BYTES, Access.LOCAL_WRITE);
                BufferPool pool = BufferPool.of(pd, BYTES, receives);
                CompletionQueue cq = context.createDirectCq(places);
                CompletionQueue peerCq = context.createDirectCq(1 + receives);
                QueuePair a = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(places, 1));
                QueuePair b = pd.createQp(QpConfig.of(QpType.RC, peerCq).withWr(1, receives))) {
            b.init();
            try (Requests sends = Requests.over(a);
                    Requests arrivals =
                            Requests.over(b, RequestsConfig.of().withReceives(receives, pool))) {
                b.connect(a.endpoint());
                a.connect(b.endpoint());
                return measure(sends, arrivals, Buffer.of(memory));
            }
        }
    }

    private double measure(Requests sends, Requests arrivals, Buffer message) throws Exception {
        Thread receiver =
                Thread.startVirtualThread(
                        () -> {
                            try {
                                while (true) {
                                    arrivals.receive().close();
                                }
                            } catch (InterruptedException | ClosedException e) {
                                // The end.
                            }
                        });
        LongAdder sent = new LongAdder();
        List<Thread> senders = new ArrayList<>();
        over = false;
        long start = System.nanoTime();
        for (int i = 0; i < threads; i++) {
            senders.add(
                    Thread.startVirtualThread(
                            () -> {
                                try {
                                    while (!over) {
                                        sends.send(message);
                                        sent.increment();
                                    }
                                } catch (InterruptedException e) {
                                    throw new AssertionError(e);
                                }
                            }));
        }
        Thread.sleep(Duration.ofNanos(nanos));
        over = true;
        for (Thread sender : senders) {
            sender.join();
        }
        parks = (double) sends.wakeUps() / sent.sum();
        double rate = sent.sum() * 1e9 / (System.nanoTime() - start);
        receiver.interrupt();
        while (receiver.isAlive()) {
            LockSupport.parkNanos(1_000_000);
        }
        return rate;
    }
}
