package io.loomverbs.internal.soft;

import io.loomverbs.internal.event.HelperThreads;

import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * One daemon thread for work that cannot run on a poster's thread: due retries, and queues that one
 * poster has served for long enough. It starts when first needed and ends when idle.
 */
final class RetryTimer {
    private static final long IDLE_SECONDS = 1;

    private final ScheduledThreadPoolExecutor executor;

    RetryTimer(String device) {
        executor =
                new ScheduledThreadPoolExecutor(
                        1, task -> HelperThreads.unstarted("loomverbs-" + device + "-retry", task));
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

    void now(Runnable task) {
        executor.execute(task);
    }
}
