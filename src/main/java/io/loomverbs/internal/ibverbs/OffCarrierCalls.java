package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.event.HelperThreads;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Native calls that may take long, because they read files, query the network or pin much memory. A
 * virtual thread has a platform thread make them, and parks, since it would block its carrier. If
 * no thread can be started, it makes the call itself.
 *
 * <p>Most of these calls are short, and a platform thread is expensive to start (10 ms in User Mode
 * Linux, 0.1 ms elsewhere): a few threads are kept for a second. If none of them takes up any call
 * for some milliseconds, each waiting call gets a thread of its own, so that none waits because
 * others take long. While the threads do take up calls, a queue of many short calls moves on, and
 * further threads would only delay it.
 */
public final class OffCarrierCalls {
    private static final int THREADS = 4;
    private static final long KEPT_MILLIS = 1_000;
    private static final long PATIENCE_NANOS = 20_000_000;
    private static final long LOOK_NANOS = 1_000_000_000;

    /** How many times its patience a call waits in a queue that moves. */
    private static final int TURNS = 50;

    private static final OffCarrierCalls OF_THE_JVM =
            new OffCarrierCalls(HelperThreads::unstarted, PATIENCE_NANOS);

    private final HelperThreads.Maker threads;
    private final long patience;
    private final ThreadPoolExecutor pool;

    /** When a thread has taken up a call last. */
    private volatile long takenUp = System.nanoTime();

    OffCarrierCalls(HelperThreads.Maker threads, long patience) {
        this.threads = threads;
        this.patience = patience;
        pool =
                new ThreadPoolExecutor(
                        THREADS,
                        THREADS,
                        KEPT_MILLIS,
                        TimeUnit.MILLISECONDS,
                        new LinkedBlockingQueue<>(),
                        task -> threads.unstarted("loomverbs-call", task));
        pool.allowCoreThreadTimeOut(true);
    }

    /**
     * Makes the call. Not interruptible: the result of the call must not be lost. An interrupt
     * stays pending. If this ends with an Error that is not the call's own, such as a lack of
     * stack, the call is not made.
     */
    public static <T> T run(String verb, Supplier<T> call) {
        return OF_THE_JVM.make(verb, call);
    }

    <T> T make(String verb, Supplier<T> call) {
        if (!Thread.currentThread().isVirtual()) {
            return call.get();
        }
        HandedOver<T> handedOver = new HandedOver<>(this, verb, call);
        handedOver.handOver();
        handedOver.await();
        return handedOver.result();
    }

    /** What a call's own thread runs. It says nothing of whether the pool goes on. */
    private record Alone(HandedOver<?> call) implements Runnable {
        @Override
        public void run() {
            call.make();
        }
    }

    /**
     * A call that one of several threads makes: whichever begins it first.
     *
     * <p>What it makes is native, and belongs to the caller. So an Error of the caller must not
     * separate it from its result: the caller either withdraws the call, or waits for the result,
     * even if it has neither memory nor stack to park.
     */
    private static final class HandedOver<T> implements Runnable {
        private final OffCarrierCalls calls;
        private final String verb;
        private final Supplier<T> call;
        private final Thread caller = Thread.currentThread();
        private final long since = System.nanoTime();

        /** 1 once a thread has begun it. Its operations need less stack than handing it over. */
        private final AtomicInteger begun = new AtomicInteger();

        private @Nullable T result;
        private @Nullable Throwable failure;

        /** Written last, after the result or the failure. */
        private volatile boolean done;

        /** Before it may be needed, as there may be no memory then. */
        private final Runnable alone = new Alone(this);

        /** The caller's: whether it has started a thread for this call alone. */
        private boolean isAlone;

        HandedOver(OffCarrierCalls calls, String verb, Supplier<T> call) {
            this.calls = calls;
            this.verb = verb;
            this.call = call;
        }

        /** Whether the calling thread is the one to make it, or to withdraw it. */
        private boolean tryBegin() {
            return begun.compareAndSet(0, 1);
        }

        /** By a thread of the pool. */
        @Override
        public void run() {
            calls.takenUp = System.nanoTime();
            make();
        }

        private void make() {
            if (!tryBegin()) {
                return;
            }
            try {
                result = call.get();
            } catch (Throwable e) {
                failure = e;
            }
            done = true;
            LockSupport.unpark(caller);
        }

        void handOver() {
            try {
                calls.pool.execute(this);
            } catch (OutOfMemoryError e) { // too many threads, say
                make();
            } catch (Error e) { // no stack, say
                if (tryBegin()) {
                    throw e;
                }
            }
        }

        @SuppressWarnings("ThreadPriorityCheck") // without memory nothing else is possible
        void await() {
            boolean interrupted = false;
            boolean parks = true;
            while (!done) {
                try {
                    if (parks) {
                        // Not indefinitely: the thread that is done may lack memory to unpark.
                        LockSupport.parkNanos(this, begun.get() == 0 ? calls.patience : LOOK_NANOS);
                        // While interrupted, park returns at once: the status is put aside.
                        interrupted |= Thread.interrupted();
                    } else {
                        Thread.yield();
                        parks = true;
                    }
                    beginAlone();
                } catch (Error e) { // no memory or stack for it
                    parks = !parks;
                }
            }
            if (interrupted) {
                try {
                    caller.interrupt();
                } catch (Error e) {
                    // Rather without the interrupt than without what was made.
                }
            }
        }

        /** A thread of its own makes the call if those of the pool have begun none for long. */
        private void beginAlone() {
            if (isAlone || begun.get() != 0 || !isLate(System.nanoTime())) {
                return;
            }
            try {
                boolean _ = calls.pool.remove(this); // it would find the call begun
                calls.threads.unstarted("loomverbs " + verb, alone).start();
                isAlone = true;
            } catch (OutOfMemoryError e) {
                make();
            }
        }

        private boolean isLate(long now) {
            long waited = now - since;
            return waited >= calls.patience
                    && (now - calls.takenUp >= calls.patience || waited >= TURNS * calls.patience);
        }

        @SuppressWarnings("NullAway") // null if the call has given null
        T result() {
            Throwable met = failure;
            if (met instanceof RuntimeException exception) {
                throw exception;
            }
            if (met instanceof Error error) {
                throw error;
            }
            return result;
        }
    }
}
