package io.loomverbs.internal.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;

/**
 * A platform thread that looks after {@link Turns} while threads pass there: if nothing outside
 * runs, because pinned threads hold all carriers, it lets all of them continue. It ends when no
 * thread has passed for some time.
 */
final class TurnsGuard implements Runnable {
    /*
     * A thread that closes the gate calls `use`, which starts the guard unless it is running. A
     * guard that ends writes `running`, then looks whether the gate is in use. One sees the other.
     */
    private static final VarHandle RUNNING;

    static {
        try {
            RUNNING =
                    MethodHandles.lookup()
                            .findVarHandle(TurnsGuard.class, "running", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Turns turns;
    private final ThreadFactory threads;
    private final long lookNanos;

    /** To true by compare-and-set. */
    private volatile boolean running;

    TurnsGuard(Turns turns, ThreadFactory threads, long lookNanos) {
        this.turns = turns;
        this.threads = threads;
        this.lookNanos = lookNanos;
    }

    /** To be called by a thread that has closed the gate. */
    void use() {
        if (running || !RUNNING.compareAndSet(this, false, true)) {
            return;
        }
        boolean started = false;
        try {
            threads.newThread(this).start();
            started = true;
        } catch (OutOfMemoryError e) {
            // Then no thread passes.
        } finally {
            if (!started) {
                running = false;
                turns.dissolve(null);
            }
        }
    }

    @Override
    public void run() {
        do {
            try {
                lookUntilUnused();
            } finally {
                running = false;
            }
        } while (turns.isInUse() && RUNNING.compareAndSet(this, false, true));
    }

    private void lookUntilUnused() {
        for (; ; ) {
            int closings = turns.closings();
            int runs = turns.runs();
            pause();
            if (!turns.isInUse()) {
                if (closings == turns.closings()) {
                    return;
                }
            } else if (runs == turns.runs()) {
                turns.dissolve(null);
            }
        }
    }

    private void pause() {
        long start = System.nanoTime();
        for (; ; ) {
            long left = lookNanos - (System.nanoTime() - start);
            if (left <= 0) {
                return;
            }
            LockSupport.parkNanos(this, left);
        }
    }
}
