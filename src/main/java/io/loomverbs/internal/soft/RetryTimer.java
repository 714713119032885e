package io.loomverbs.internal.soft;

import io.loomverbs.internal.event.HelperThreads;

import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One daemon thread for work that cannot run on a poster's thread: due retries, and queues that one
 * poster has served for long enough. It starts when first needed and ends when idle.
 */
final class RetryTimer {
    private static final long IDLE_SECONDS = 1;

    private final ScheduledThreadPoolExecutor executor;

    /** Whether an alarm was ever not set, since no thread could be started. */
    private volatile boolean failed;

    RetryTimer(String device) {
        this(task -> HelperThreads.unstarted("loomverbs-" + device + "-retry", task));
    }

    RetryTimer(ThreadFactory threads) {
        executor = new ScheduledThreadPoolExecutor(1, threads);
        executor.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        executor.allowCoreThreadTimeOut(true);
        executor.setRemoveOnCancelPolicy(true);
    }

    /** Runs a task after a while. If this throws, no thread could be started. */
    Future<?> in(long nanos, Runnable task) {
        boolean done = false;
        try {
            executor.prestartCoreThread(); // first: otherwise a task is queued that seems refused
            Future<?> alarm = executor.schedule(task, nanos, TimeUnit.NANOSECONDS);
            done = true;
            return alarm;
        } finally {
            if (!done) {
                failed = true;
            }
        }
    }

    /** Whether an alarm was ever not set, and may still be missing. */
    boolean hasFailed() {
        return failed;
    }

    /** How many alarms and handed-over queues wait. */
    int waiting() {
        return executor.getQueue().size();
    }

    /** Runs a task soon; never, if this throws. */
    void now(Runnable task) {
        Once once = new Once(task);
        try {
            executor.execute(once);
        } catch (RuntimeException | Error e) { // no thread could be started, but it is queued
            if (once.claim()) {
                throw e;
            }
        }
    }

    private static final class Once implements Runnable {
        private final Runnable task;
        private final AtomicBoolean claimed = new AtomicBoolean();

        Once(Runnable task) {
            this.task = task;
        }

        boolean claim() {
            return claimed.compareAndSet(false, true);
        }

        @Override
        public void run() {
            if (claim()) {
                task.run();
            }
        }
    }
}
