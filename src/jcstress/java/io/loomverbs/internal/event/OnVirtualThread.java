package io.loomverbs.internal.event;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;

/** A virtual thread and what came of it; actors and arbiters may not throw checked exceptions. */
public final class OnVirtualThread<T> {
    private final Thread thread;
    private volatile boolean interrupted;
    private T result;

    private OnVirtualThread(Function<OnVirtualThread<T>, T> body) {
        this.thread = Thread.ofVirtual().unstarted(() -> result = body.apply(this));
    }

    public static <T> OnVirtualThread<T> start(Supplier<T> body) {
        return start(self -> body.get());
    }

    public static <T> OnVirtualThread<T> start(Function<OnVirtualThread<T>, T> body) {
        OnVirtualThread<T> started = new OnVirtualThread<>(body);
        started.thread.start();
        return started;
    }

    public static void run(Runnable body) {
        call(
                () -> {
                    body.run();
                    return true;
                });
    }

    public static <T> T call(Supplier<T> body) {
        return start(body).join();
    }

    /** Interrupts the thread; it may be over by now, unless it is in {@link #awaitInterrupt}. */
    public void interrupt() {
        thread.interrupt();
        interrupted = true;
        LockSupport.unpark(thread);
    }

    /**
     * Waits until {@link #interrupt} was called, and answers whether the status of this thread, the
     * started one, says so.
     */
    public boolean awaitInterrupt() {
        while (!interrupted) {
            LockSupport.park(this);
        }
        return Thread.interrupted();
    }

    public T join() {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError("no thread interrupts an actor", e);
        }
        return result;
    }
}
