package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The CQs of a shared queue whose events were raised and are not listed yet: a stack that needs no
 * lock.
 */
final class Inbox {
    /*
     * A thread that raises an event of a shared queue takes the queue's lock only if it must hand
     * the event to a waiter now. Otherwise it pushes the CQ here. When the list of CQs with events
     * is empty, a thread that holds the lock takes all CQs out of the inbox and lists them in the
     * order of the pushes. So threads that raise events and threads that take them do not wait for
     * each other. An event of a CQ that is in the inbox already is raised under the lock.
     *
     *     a thread that raises:             pushes, then reads `wanted`, and whether the CQ is closed
     *     a thread that waits, or arrives:  sets `wanted`, then looks into the inbox
     *     a thread that destroyed the CQ:   has closed it, then looks into the inbox
     *
     * Of two such threads one sees what the other did. `wanted` may be true for no reason. It is
     * false only while no thread waits that might be handed an event, or if a thread has looked
     * into the inbox since that one began to wait.
     */
    private static final VarHandle TOP;

    static {
        try {
            TOP = MethodHandles.lookup().findVarHandle(Inbox.class, "top", QueuedCq.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The CQ pushed last; the others are below it. Changed atomically. */
    private volatile @Nullable QueuedCq top;

    /** Written under the queue's lock. */
    private volatile boolean wanted;

    /** Whether an event must be handed to a waiter when it is raised. */
    boolean isWanted() {
        return wanted;
    }

    /** Under the queue's lock. */
    void setWanted(boolean isWanted) {
        wanted = isWanted;
    }

    boolean isEmpty() {
        return top == null;
    }

    /**
     * Puts {@code cq} in, with one event.
     *
     * @return false if it is in already: then this event is not counted here
     */
    boolean tryPush(QueuedCq cq) {
        boolean entered = cq.tryEnterInbox();
        if (entered) {
            push(cq);
        }
        return entered;
    }

    private void push(QueuedCq cq) {
        QueuedCq below;
        do {
            below = top;
            cq.below = below;
        } while (!TOP.compareAndSet(this, below, cq));
    }

    /**
     * Takes all CQs out, under the queue's lock. The caller lets each go with {@link #release}.
     *
     * @return the CQ that was pushed first, or null if there is none
     */
    @Nullable QueuedCq takeAll() {
        if (top == null) {
            return null;
        }
        QueuedCq last = (QueuedCq) TOP.getAndSet(this, null);
        QueuedCq first = null;
        while (last != null) {
            QueuedCq below = last.below;
            last.below = first;
            first = last;
            last = below;
        }
        return first;
    }

    /**
     * From here on {@code cq}, which was taken out, can be pushed again.
     *
     * @return the CQ that was pushed after it, or null if it was the last
     */
    static @Nullable QueuedCq release(QueuedCq cq) {
        QueuedCq next = cq.below;
        cq.below = null; // before it leaves: the thread that pushes it next writes that
        cq.leaveInbox();
        return next;
    }
}
