package io.loomverbs.internal.event;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** A virtual thread and what came of it; actors and arbiters may not throw checked exceptions. */
public final class OnVirtualThread<T> {
    private final Thread thread;
    private volatile boolean interrupted;
    private boolean status;
    private long end;
    private T result;

    private OnVirtualThread(Supplier<T> body, boolean awaitsInterrupt) {
        this.thread = Thread.ofVirtual().unstarted(() -> run(body, awaitsInterrupt));
    }

    private void run(Supplier<T> body, boolean awaitsInterrupt) {
        result = body.get();
        end = System.nanoTime();
        while (awaitsInterrupt && !interrupted) {
            LockSupport.park(this);
        }
        status = Thread.interrupted();
    }

    private OnVirtualThread<T> started() {
        thread.start();
        return this;
    }

    public static <T> OnVirtualThread<T> start(Supplier<T> body) {
        return new OnVirtualThread<>(body, false).started();
    }

    /** Starts a thread that does not end before it was interrupted. */
    public static <T> OnVirtualThread<T> startInterruptible(Supplier<T> body) {
        return new OnVirtualThread<>(body, true).started();
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

    /** Interrupts the thread; it may be over by now, unless it was started for that. */
    public void interrupt() {
        thread.interrupt();
        interrupted = true;
        LockSupport.unpark(thread);
    }

    /** Whether the thread was still told of the interrupt when its body was over; after a join. */
    public String interruptStatus() {
        return status ? "pending" : "clear";
    }

    /** When its body was over; after a join. */
    long end() {
        return end;
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
