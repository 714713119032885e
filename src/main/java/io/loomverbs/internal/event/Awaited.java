package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/** A condition for whose end threads park, such as an attempt to destroy an object. */
public abstract class Awaited {
    /*
     * A waiting thread pushes a node (a volatile CAS), then checks again whether it has to wait,
     * then parks. The thread that ends the wait first records that, with a volatile write, then
     * takes all nodes. One of the two sees the other. A taken node is not reused: a thread that has
     * to wait again pushes another one.
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

    /** Whether threads have to wait now. Reads what was written before {@link #ended}, volatile. */
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

    /** Wakes the waiting threads. The end of the condition was written before. */
    protected final void ended() {
        if (waiting == null) {
            return;
        }
        Waiting first = (Waiting) WAITING.getAndSet(this, null);
        for (Waiting w = first; w != null; w = w.next) {
            w.over = true;
            LockSupport.unpark(w.thread);
        }
    }
}
