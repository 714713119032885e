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

    RetryTimer(String device) {
        this(task -> HelperThreads.unstarted("loomverbs-" + device + "-retry", task));
    }

    RetryTimer(ThreadFactory threads) {
        executor = new ScheduledThreadPoolExecutor(1, threads);
        executor.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        executor.allowCoreThreadTimeOut(true);
        executor.setRemoveOnCancelPolicy(true);
    }

    Future<?> in(long nanos, Runnable task) {
        return executor.schedule(task, nanos, TimeUnit.NANOSECONDS);
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
