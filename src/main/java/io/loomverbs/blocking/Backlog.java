package io.loomverbs.blocking;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The requests of a send queue that wait to be posted, the oldest first. Any thread adds one; only
 * the poster takes them.
 */
final class Backlog {
    /*
     * Threads push onto the stack `inbox`. The poster takes all of it at once, and appends it in
     * the order in which it was pushed.
     */

    /** From this many cancelled requests on, a walk to drop them is worthwhile. */
    static final int MANY_CANCELLED = 64;

    private static final VarHandle INBOX;
    private static final VarHandle CANCELLED;
    private static final VarHandle ANNOUNCED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            INBOX = lookup.findVarHandle(Backlog.class, "inbox", Request.class);
            CANCELLED = lookup.findVarHandle(Backlog.class, "cancelled", int.class);
            ANNOUNCED = lookup.findVarHandle(Backlog.class, "announced", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile @Nullable Request inbox;

    // Of the poster:
    private @Nullable Request first;

    /** Undefined while there is no first. */
    private @Nullable Request last;

    /** Whether the poster has announced {@link #first}. */
    private volatile boolean announced;

    /** Cancelled since the backlog was last walked. */
    private volatile int cancelled;

    void add(Request r) {
        Request head;
        do {
            head = inbox;
            r.next = head;
        } while (!INBOX.compareAndSet(this, head, r));
    }

    /** A request in it was cancelled. True if the poster should drop such requests. */
    boolean cancelledOne() {
        return (int) CANCELLED.getAndAdd(this, 1) + 1 >= MANY_CANCELLED;
    }

    /** Whether something waits to be posted, as far as other threads can tell. */
    boolean isWaiting() {
        return inbox != null || announced;
    }

    /** Whether there are requests that the poster has not taken. */
    boolean hasNew() {
        return inbox != null;
    }

    // All below is the poster's.

    /** Whether no earlier request waits here. */
    boolean isUnused() {
        return first == null && inbox == null;
    }

    /**
     * Appends the new requests, and announces them before they leave the inbox, where they were
     * seen.
     */
    void takeNew() {
        if (inbox == null) {
            return;
        }
        ANNOUNCED.setRelease(this, true);
        Request newest = (Request) INBOX.getAndSet(this, null);
        Request tail = newest;
        Request oldest = null;
        while (newest != null) { // reversed: the oldest first
            Request older = newest.next;
            newest.next = oldest;
            oldest = newest;
            newest = older;
        }
        if (first == null) {
            first = oldest;
        } else if (last != null) {
            last.next = oldest;
        }
        last = tail;
    }

    /** Tells other threads whether something is left. */
    void announce() {
        boolean left = first != null;
        if (left) {
            announced = true;
        } else if (announced) {
            ANNOUNCED.setRelease(this, false); // seen later, it costs a signal
        }
    }

    boolean isEmpty() {
        return first == null;
    }

    @Nullable Request first() {
        return first;
    }

    @Nullable Request removeFirst() {
        Request r = first;
        if (r != null) {
            first = r.next;
            r.next = null;
        }
        return r;
    }

    /** Announces it, too: the poster may find no room for it. */
    void addFirst(Request r) {
        if (first == null) {
            last = r;
        }
        r.next = first;
        first = r;
        if (!announced) {
            announced = true;
        }
    }

    void dropCancelledIfMany() {
        if (cancelled < MANY_CANCELLED) {
            return;
        }
        cancelled = 0;
        Request kept = null;
        Request r = first;
        first = null;
        while (r != null) {
            Request following = r.next;
            if (!r.isCancelled()) {
                if (kept == null) {
                    first = r;
                } else {
                    kept.next = r;
                }
                kept = r;
            }
            r = following;
        }
        if (kept != null) {
            kept.next = null;
        }
        last = kept;
    }
}
