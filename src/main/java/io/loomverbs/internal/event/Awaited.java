package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/** A condition whose end threads park for, such as an attempt to destroy an object. */
public abstract class Awaited {
    /*
     * A waiting thread pushes a node (a volatile CAS), then checks again whether it must wait, then
     * parks. The thread that ends the wait first records that, with a volatile write, then takes
     * all nodes. One of the two sees the other. A taken node is not reused: a thread that must wait
     * again pushes another one.
     */

    /** Some microseconds: less than it costs to park and to be unparked. */
    static final int SPINS = 100;

    private static final VarHandle WAITING;

    static {
        try {
            WAITING = MethodHandles.lookup().findVarHandle(Awaited.class, "waiting", Waiting.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Top of the stack of threads that wait. Changed by atomic operations only. */
    private volatile @Nullable Waiting waiting;

    private static final class Waiting {
        private final Thread thread = Thread.currentThread();
        private final @Nullable Waiting next;
        private volatile boolean over;

        Waiting(@Nullable Waiting next) {
            this.next = next;
        }
    }

    /** Whether threads must wait now. Reads what was written before {@link #ended}, volatile. */
    protected abstract boolean isPending();

    /**
     * Waits while the condition is pending. It may be pending again when this returns. An interrupt
     * does not end the wait; it is restored.
     */
    protected final void awaitEnd() {
        for (int i = 0; i < SPINS; i++) {
            if (!isPending()) {
                return;
            }
            Thread.onSpinWait();
        }
        parkUntilEnd();
    }

    /** Like {@link #awaitEnd}, for what takes longer than some microseconds. */
    protected final void parkUntilEnd() {
        Waiting top;
        Waiting me;
        do {
            top = waiting;
            me = new Waiting(top);
        } while (!WAITING.compareAndSet(this, top, me));
        boolean interrupted = false;
        while (isPending() && !me.over) {
            LockSupport.park(this);
            // While interrupted, park returns at once: the status is put aside.
            interrupted |= Thread.interrupted();
        }
        if (!me.over) {
            ended(); // the thread that has ended it has not seen this one, which must not stay
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Waits while the condition is pending, for at most {@code nanos}. A thread that gives up takes
     * all others out, and they come back: so no node stays whose thread no longer waits.
     *
     * @return whether it has ended
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    protected final boolean awaitEnd(long nanos) throws InterruptedException {
        boolean timed = nanos != Long.MAX_VALUE;
        long start = timed ? System.nanoTime() : 0;
        while (true) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            long left = timed ? nanos - (System.nanoTime() - start) : nanos;
            if (!isPending()) {
                return true;
            }
            if (left <= 0) {
                return false;
            }
            park(left);
        }
    }

    private void park(long nanos) {
        Waiting top;
        Waiting me;
        do {
            top = waiting;
            me = new Waiting(top);
        } while (!WAITING.compareAndSet(this, top, me));
        if (isPending() && !me.over) {
            if (nanos == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, nanos);
            }
        }
        if (!me.over) {
            ended();
        }
    }

    /** Wakes the waiting threads. The end of the condition was written before. */
    protected final void ended() {
        if (waiting == null) {
            return;
        }
        Waiting first = (Waiting) WAITING.getAndSet(this, null);
        Thread me = Thread.currentThread();
        for (Waiting w = first; w != null; w = w.next) {
            w.over = true;
            if (w.thread != me) { // one that gives up would not park the next time
                LockSupport.unpark(w.thread);
            }
        }
    }
}
