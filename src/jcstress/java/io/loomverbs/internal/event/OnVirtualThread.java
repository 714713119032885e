package io.loomverbs.internal.event;

import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** A virtual thread and what came of it; actors and arbiters may not throw checked exceptions. */
public final class OnVirtualThread<T> {
    private final Thread thread;
    private T result;

    private OnVirtualThread(Supplier<T> body) {
        this.thread = Thread.ofVirtual().unstarted(() -> result = body.get());
    }

    public static <T> OnVirtualThread<T> start(Supplier<T> body) {
        OnVirtualThread<T> started = new OnVirtualThread<>(body);
        started.thread.start();
        return started;
    }

    public static <T> T run(Supplier<T> body) {
        return start(body).join();
    }

    /** Waits without a wake-up, leaving the carrier to those who are to make it true. */
    @SuppressWarnings("ThreadPriorityCheck") // for speed, not for correctness
    static void yieldUntil(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.yield();
        }
    }

    public void interrupt() {
        thread.interrupt();
    }

    public T join() {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts an actor", e);
        }
        return result;
    }
}
