package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.event.HelperThreads;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * Native calls that may take long, because they read files, query the network or pin much memory. A
 * virtual thread has a platform thread make them, and parks, since it would block its carrier. If
 * no thread can be started, it makes the call itself.
 */
public final class OffCarrierCalls {
    private OffCarrierCalls() {}

    /** Not interruptible: the result of the call must not be lost. An interrupt stays pending. */
    @SuppressWarnings("ThreadPriorityCheck") // without memory nothing else is possible
    public static <T> T run(String verb, Supplier<T> call) {
        if (!Thread.currentThread().isVirtual()) {
            return call.get();
        }
        FutureTask<T> task = new FutureTask<>(call::get);
        try {
            HelperThreads.unstarted("loomverbs " + verb, task).start();
        } catch (OutOfMemoryError e) { // too many threads, say
            return call.get();
        }
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
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

    private static RuntimeException rethrown(@Nullable Throwable cause) {
        if (cause instanceof RuntimeException exception) {
            return exception;
        }
        // A Supplier throws nothing else.
        throw cause instanceof Error error ? error : new AssertionError(cause);
    }
}
