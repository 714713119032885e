package io.loomverbs;

import com.sun.management.ThreadMXBean;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;

/**
 * What a wait allocates, in all threads of the JVM, beside a bare park: two virtual threads take
 * turns, so that each wait parks. {@code WaitAllocation WAITS}, a million for example.
 */
public final class WaitAllocation {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final String DEVICE = System.getProperty("loomverbs.device", "soft0");
    private static final ThreadFactory VIRTUAL = Thread.ofVirtual().factory();
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int WARM_UP = 50_000;

    private WaitAllocation() {}

    /** Makes so many waits in two threads together. */
    private interface Waits {
        void run(int waits) throws Exception;
    }

    /**
     * Measures and prints.
     *
     * @param args how many waits
     * @throws Exception whatever fails
     */
    public static void main(String[] args) throws Exception {
        int waits = Integer.parseInt(args[0]);
        double bare = measure("park", waits, 0, n -> new Turns(false).play(n));
        double timed = measure("parkNanos", waits, 0, n -> new Turns(true).play(n));

        pair("await", waits, bare, CompletionQueue::await);
        pair("await with a limit", waits, timed, (cq, batch) -> cq.await(batch, 1, LIMIT));
        pair("getCqEvent", waits, bare, WaitAllocation::getCqEvent);
        served(waits, bare);
        channel(waits, bare);
    }

    private static double measure(String name, int waits, double bare, Waits run) throws Exception {
        run.run(WARM_UP);
        run.run(WARM_UP);
        long before = THREADS.getTotalThreadAllocatedBytes();
        run.run(waits);
        double bytes = (double) (THREADS.getTotalThreadAllocatedBytes() - before) / waits;
        System.out.printf(
                Locale.ROOT, "%-28s %7.2f bytes a wait, %7.2f more%n", name, bytes, bytes - bare);
        return bytes;
    }

    private static void pair(String name, int waits, double bare, WaitPair.Waiting waiting)
            throws Exception {
        try (Context context = Verbs.device(DEVICE).open();
                ProtectionDomain pd = context.allocPd()) {
            measure(
                    name,
                    waits,
                    bare,
                    n -> {
                        try (WaitPair pair = new WaitPair(pd, WaitStrategy.EVENTS, WaitPair.FEW)) {
                            pair.roundTrip(n / 2, VIRTUAL, waiting);
                        }
                    });
        }
    }

    private static int getCqEvent(CompletionQueue cq, WorkCompletions batch)
            throws InterruptedException {
        for (; ; ) {
            cq.reqNotify(false);
            int n = cq.poll(batch);
            if (n > 0) {
                return n;
            }
            cq.getCqEvent().close();
        }
    }

    private static void served(int waits, double bare) throws Exception {
        try (Context context = Verbs.device(DEVICE).open();
                ProtectionDomain pd = context.allocPd()) {
            measure(
                    "serve",
                    waits,
                    bare,
                    n -> {
                        try (WaitPair pair = new WaitPair(pd, WaitStrategy.EVENTS, WaitPair.FEW)) {
                            Serving ping = pair.ping.serve(n / 2, true);
                            Serving pong = pair.pong.serve(n / 2, false);
                            pair.ping.post();
                            require(ping.join(LIMIT));
                            require(pong.join(LIMIT));
                        }
                    });
        }
    }

    private static void require(boolean ended) {
        if (!ended) {
            throw new IllegalStateException("a handler has not ended within " + LIMIT);
        }
    }

    /** Two channels, and the form that needs no event. */
    private static void channel(int waits, double bare) throws Exception {
        try (Context context = Verbs.device(DEVICE).open();
                ProtectionDomain pd = context.allocPd()) {
            measure(
                    "getCq of a channel",
                    waits,
                    bare,
                    n -> {
                        try (CompletionChannel first = context.createCompChannel();
                                CompletionChannel second = context.createCompChannel();
                                WaitPair pair = new WaitPair(pd, first, second, WaitPair.FEW)) {
                            pair.roundTrip(n / 2, VIRTUAL, WaitAllocation::getCq);
                        }
                    });
        }
    }

    private static int getCq(CompletionQueue cq, WorkCompletions batch)
            throws InterruptedException {
        for (; ; ) {
            cq.reqNotify(false);
            int n = cq.poll(batch);
            if (n > 0) {
                return n;
            }
            cq.channel().getCq();
            cq.ackEvents(1);
        }
    }

    /** Two threads that park and unpark each other. */
    private static final class Turns {
        private final boolean timed;
        private final Thread[] threads = new Thread[2];
        private volatile int turn;

        Turns(boolean timed) {
            this.timed = timed;
        }

        void play(int waits) throws InterruptedException {
            for (int i = 0; i < 2; i++) {
                int me = i;
                threads[i] = VIRTUAL.newThread(() -> take(me, waits / 2));
            }
            for (Thread thread : threads) {
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }

        private void take(int me, int turns) {
            for (int i = 0; i < turns; i++) {
                while (turn != me) {
                    if (timed) {
                        LockSupport.parkNanos(this, 60_000_000_000L);
                    } else {
                        LockSupport.park(this);
                    }
                }
                turn = 1 - me;
                LockSupport.unpark(threads[1 - me]);
            }
        }
    }
}
