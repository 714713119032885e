package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.event.HelperThreads;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Native calls that may take long, because they read files, query the network or pin much memory. A
 * virtual thread has a platform thread make them, and parks, since it would block its carrier. If
 * no thread can be started, it makes the call itself.
 *
 * <p>Most of these calls are short, and a platform thread is expensive to start (10 ms in User Mode
 * Linux, 0.1 ms elsewhere): a few threads are kept for a second. A call that none of them has taken
 * up for some milliseconds gets a thread of its own, so that none waits because others take long.
 */
public final class OffCarrierCalls {
    private static final int THREADS = 4;
    private static final long KEPT_MILLIS = 1_000;
    private static final long PATIENCE_MILLIS = 20;

    private static final ThreadPoolExecutor POOL = pool();

    private OffCarrierCalls() {}

    private static ThreadPoolExecutor pool() {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(
                        THREADS,
                        THREADS,
                        KEPT_MILLIS,
                        TimeUnit.MILLISECONDS,
                        new LinkedBlockingQueue<>(),
                        task -> HelperThreads.unstarted("loomverbs-call", task));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** Not interruptible: the result of the call must not be lost. An interrupt stays pending. */
    @SuppressWarnings("ThreadPriorityCheck") // without memory nothing else is possible
    public static <T> T run(String verb, Supplier<T> call) {
        if (!Thread.currentThread().isVirtual()) {
            return call.get();
        }
        FutureTask<T> task = new FutureTask<>(call::get);
        try {
            POOL.execute(task);
        } catch (OutOfMemoryError e) { // too many threads, say
            task.run(); // if it was queued nevertheless, it does not run again
        }
        boolean interrupted = false;
        boolean patient = true;
        try {
            while (true) {
                try {
                    return patient ? task.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS) : task.get();
                } catch (TimeoutException e) {
                    patient = false;
                    if (POOL.remove(task)) {
                        startAlone(verb, task);
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (Error e) { // no memory to wait: the call continues nevertheless
                    Thread.yield();
                } catch (ExecutionException e) {
                    throw rethrown(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void startAlone(String verb, FutureTask<?> task) {
        try {
            HelperThreads.unstarted("loomverbs " + verb, task).start();
        } catch (OutOfMemoryError e) {
            task.run();
        }
    }

    private static RuntimeException rethrown(@Nullable Throwable cause) {
        if (cause instanceof RuntimeException exception) {
            return exception;
        }
        // A Supplier throws nothing else.
        throw cause instanceof Error error ? error : new AssertionError(cause);
    }
}
