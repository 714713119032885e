package io.loomverbs.internal.ibverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.event.HelperThreads;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Native calls that may take long, because they read files, query the network or pin much memory. A
 * virtual thread lets a platform thread make them, and parks, since it would block its carrier. If
 * no thread can be started, it makes the call itself.
 *
 * <p>Most of these calls are short, and a platform thread is expensive to start (10 ms in User Mode
 * Linux, 0.1 ms elsewhere): a few threads are kept for a second. If none of them takes up any call
 * for some milliseconds, each waiting call gets its own thread, so that no call waits because
 * others take long. While the threads do take up calls, a queue of many short calls moves on, and
 * further threads would only delay it.
 */
public final class OffCarrierCalls {
    /*
     * Neither a caller nor a thread of the pool reads the clock or waits with a time limit: for a
     * short call, that costs more than the call. A thread that watches looks every `patience`:
     *
     *   caller: links its call to `arrived`, then reads `watching`, and starts a watch if there is
     *           none
     *   watch:  clears `watching`, then looks at `arrived`, and goes on if there is a call
     *
     * So each call is watched until its caller has the result. The watch ends, and the pool gives
     * its threads back, when there was no call for a second.
     */
    /** Short calls gain nothing from more threads than processors; but one call may take long. */
    private static final int THREADS = Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 4);

    private static final long KEPT_NANOS = 1_000_000_000;
    private static final long PATIENCE_NANOS = 20_000_000;

    /** How long a thread of the pool stays without a call once there is no watch. */
    private static final long LEFT_MILLIS = 10;

    /** How many looks a call waits in a queue that moves. */
    private static final int TURNS = 50;

    private static final OffCarrierCalls OF_THE_JVM =
            new OffCarrierCalls(HelperThreads::unstarted, PATIENCE_NANOS);

    private final HelperThreads.Maker threads;
    private final long patience;
    private final ThreadPoolExecutor pool;
    private final ReentrantLock watchLock = new ReentrantLock();

    /** Whether a thread watches. Written under the lock. */
    private volatile boolean watching;

    /** The thread that watches; another one ends. */
    @GuardedBy("watchLock")
    private @Nullable Thread watcher;

    /** The calls that the watch looks after, linked. */
    @GuardedBy("watchLock")
    private @Nullable HandedOver<?> watched;

    /** What {@link #takenUp} was at the last look. */
    @GuardedBy("watchLock")
    private int takenUpBefore;

    /** How many looks there was no call. */
    @GuardedBy("watchLock")
    private long idleLooks;

    /** The calls that have come since the watch has looked last. */
    private final AtomicReference<@Nullable HandedOver<?>> arrived = new AtomicReference<>();

    /** How many calls threads of the pool have taken up. */
    private final AtomicInteger takenUp = new AtomicInteger();

    OffCarrierCalls(HelperThreads.Maker threads, long patience) {
        this.threads = threads;
        this.patience = patience;
        pool =
                new ThreadPoolExecutor(
                        THREADS,
                        THREADS,
                        LEFT_MILLIS,
                        TimeUnit.MILLISECONDS,
                        new LinkedBlockingQueue<>(),
                        task -> threads.unstarted("loomverbs-call", task));
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

    /** Has a thread watch the call until its caller has the result. */
    private void watch(HandedOver<?> call) {
        HandedOver<?> first;
        do {
            first = arrived.get();
            call.next = first;
        } while (!arrived.compareAndSet(first, call));
        if (!watching) {
            startWatch();
        }
    }

    private void startWatch() {
        watchLock.lock();
        try {
            if (!watching) {
                Thread thread = threads.unstarted("loomverbs-calls", this::keepWatch);
                watcher = thread;
                idleLooks = 0;
                thread.start();
                watching = true;
                pool.allowCoreThreadTimeOut(false);
            }
        } finally {
            watchLock.unlock();
        }
    }

    private void keepWatch() {
        boolean watches = true;
        while (watches) {
            try {
                LockSupport.parkNanos(this, patience);
                watches = look();
            } catch (RuntimeException | Error e) {
                // For lack of memory, for example: it looks again.
            }
        }
    }

    /** Whether the thread goes on. */
    private boolean look() {
        watchLock.lock();
        try {
            if (watcher != Thread.currentThread()) { // starting it seemed to fail
                return false;
            }
            boolean came = takeArrived();
            int now = takenUp.get();
            lookAfterAll(now != takenUpBefore);
            takenUpBefore = now;
            idleLooks = watched == null && !came ? idleLooks + 1 : 0;
            return idleLooks * patience < KEPT_NANOS || !end();
        } finally {
            watchLock.unlock();
        }
    }

    /** Whether there were any. */
    @GuardedBy("watchLock")
    private boolean takeArrived() {
        HandedOver<?> first = arrived.getAndSet(null);
        HandedOver<?> last = first;
        while (last != null && last.next != null) {
            last = last.next;
        }
        if (last != null) {
            last.next = watched;
            watched = first;
        }
        return last != null;
    }

    @GuardedBy("watchLock")
    private void lookAfterAll(boolean moves) {
        HandedOver<?> before = null;
        for (HandedOver<?> call = watched; call != null; call = call.next) {
            if (!call.isOver) {
                before = call;
                tryLookAfter(call, moves);
            } else if (before == null) {
                watched = call.next;
            } else {
                before.next = call.next;
            }
        }
    }

    private static void tryLookAfter(HandedOver<?> call, boolean moves) {
        try {
            call.lookAfter(moves);
        } catch (RuntimeException | Error e) {
            // For lack of memory, for example: at the next look. Others may succeed.
        }
    }

    @GuardedBy("watchLock")
    private boolean end() {
        watching = false;
        watching = arrived.get() != null;
        if (watching) {
            idleLooks = 0;
            return false;
        }
        watcher = null;
        pool.allowCoreThreadTimeOut(true);
        return true;
    }

    /** The task of a call's own thread. It shows nothing about the pool's progress. */
    private record Alone(HandedOver<?> call) implements Runnable {
        @Override
        public void run() {
            call.make();
        }
    }

    /**
     * A call that one of several threads makes: whichever begins it first.
     *
     * <p>The call's result is native, and belongs to the caller. So an Error of the caller must not
     * separate the call from its result: the caller either withdraws the call, or waits for the
     * result, even if it has neither memory nor stack to park.
     */
    private static final class HandedOver<T> implements Runnable {
        private final OffCarrierCalls calls;
        private final String verb;
        private final Supplier<T> call;
        private final Thread caller = Thread.currentThread();

        /** 1 once a thread has begun it. Its operations need less stack than handing it over. */
        private final AtomicInteger begun = new AtomicInteger();

        private @Nullable T result;
        private @Nullable Throwable failure;

        /** Written last, after the result or the failure. */
        private volatile boolean done;

        /** Set by the watch when there is no thread for it: the caller makes it. */
        private volatile boolean isLeft;

        /** Whether the caller has the result, or has withdrawn it. */
        private volatile boolean isOver;

        /** The next of those that have arrived, or are watched. */
        private @Nullable HandedOver<?> next;

        // The watch's.
        private int looks;
        private boolean wasDone;
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
            calls.takenUp.incrementAndGet();
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
            try {
                LockSupport.unpark(caller);
            } catch (Error e) {
                // No memory for it: the watch does it again.
            }
        }

        void handOver() {
            try {
                calls.watch(this);
                calls.pool.execute(this);
            } catch (OutOfMemoryError e) { // such as too many threads
                make();
            } catch (Error e) { // such as no stack
                if (tryBegin()) {
                    isOver = true;
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
                    if (isLeft) {
                        isLeft = false;
                        make();
                    } else if (parks) {
                        LockSupport.park(this);
                        // While interrupted, park returns at once: the status is put aside.
                        interrupted |= Thread.interrupted();
                    } else {
                        Thread.yield();
                        parks = true;
                    }
                } catch (Error e) { // no memory or stack for it
                    parks = !parks;
                }
            }
            isOver = true;
            if (interrupted) {
                try {
                    caller.interrupt();
                } catch (Error e) {
                    // Better to lose the interrupt than the object that was made.
                }
            }
        }

        /**
         * By the watch: ensures that the call is made, and that its caller sees the result.
         *
         * @param moves whether threads of the pool have taken up calls since the last look
         */
        void lookAfter(boolean moves) {
            if (done) {
                if (wasDone) { // its caller was not unparked, or has no carrier
                    LockSupport.unpark(caller);
                }
                wasDone = true;
            } else if (begun.get() == 0 && !isAlone) {
                looks++;
                if (looks > TURNS || (looks > 1 && !moves)) {
                    beginAlone();
                }
            }
        }

        /** Its own thread makes the call, as those of the pool have begun no call for long. */
        private void beginAlone() {
            boolean _ = calls.pool.remove(this); // it would find the call begun
            try {
                calls.threads.unstarted("loomverbs " + verb, new Alone(this)).start();
                isAlone = true;
            } catch (OutOfMemoryError e) {
                isLeft = true;
                LockSupport.unpark(caller);
            }
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
