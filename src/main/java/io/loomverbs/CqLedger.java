package io.loomverbs;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.event.CqEvents;
import io.loomverbs.internal.event.EventQueue;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The events of one CQ: what their delivery needs, and, for diagnosis, which threads hold those
 * that were received and not closed, so that a close that waits can say so, and notices when it is
 * its own thread.
 */
final class CqLedger extends CqEvents implements CqListener {
    /*
     * All that an event needs of its CQ is in this one object, of 64 bytes with its superclasses: an
     * event of one CQ among many finds it out of the caches.
     *
     * Who holds events is told by a stack that is linked through the events themselves, so that it costs
     * no allocation. Receiving an event pushes it; acknowledging one only marks it. Acknowledged events are
     * left out when they are on top, and when the stack has grown to twice what is outstanding.
     *
     * The count decides, the stack only explains. Nobody can tell which events are meant when some are
     * acknowledged by count: taken to be are the newest of the thread that does it, or, if it has none
     * near the top, the newest of all. That is right for threads that acknowledge what they receive, and
     * it keeps the number of events here that of those counted. holders() tells nothing when they differ;
     * isHeldBy() tells what follows from the numbers. The links are written without synchronization
     * except at the top: a stale link at worst shows an event that is acknowledged by now.
     */
    private static final int SLACK = 16;
    private static final VarHandle TOP;

    static {
        try {
            TOP = MethodHandles.lookup().findVarHandle(CqLedger.class, "top", CqEvent.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Here and not in the CQ: whoever is given an event reads it. */
    final @Nullable Object cqContext;

    final @Nullable EventTracking tracking = EventTracking.ifEnabled();

    /** Changed by compare-and-set. */
    private volatile @Nullable CqEvent top;

    CqLedger(EventQueue queue, CompletionQueue cq, @Nullable Object cqContext) {
        super(queue, cq);
        this.cqContext = cqContext;
    }

    CompletionQueue cq() {
        return (CompletionQueue) owner();
    }

    @Override
    public void completionEvent() {
        raise();
    }

    @Override
    public void asyncEvent(int type) {
        cq().asyncEvent(type);
    }

    /** An event was received. */
    void add(CqEvent event) {
        int outstanding = outstanding();
        CqEvent seen;
        do {
            seen = top;
            CqEvent below = seen;
            while (below != null && below.holder() == null) {
                below = below.next;
            }
            event.next = below;
            event.depth = below == null ? 1 : below.depth + 1;
        } while (!TOP.compareAndSet(this, seen, event));
        if (event.depth > 2L * outstanding + SLACK) {
            compact(event, outstanding);
        }
    }

    /** Acknowledges an event that was received and is acknowledged by nobody else. */
    void ackTaken(CqEvent event) {
        int outstanding = tryAck(1);
        if (outstanding != ACKED) {
            throw cq().overAck(1, outstanding);
        }
        if (tracking != null) {
            tracking.acked(event);
        }
    }

    /** {@code n} events were acknowledged by count, by the calling thread. */
    void counted(int n) {
        if (EventTracking.ENABLED && tracking != null) {
            tracking.acked(n);
        }
        if (top == null) {
            return;
        }
        Thread me = Thread.currentThread();
        for (int i = 0; i < n; i++) {
            CqEvent seen = top;
            CqEvent newest = null;
            CqEvent mine = null;
            int steps = 0;
            for (CqEvent e = seen; e != null && mine == null && steps < SLACK; e = e.next) {
                Thread holder = e.holder();
                if (holder == me) {
                    mine = e;
                } else if (holder != null) {
                    newest = newest == null ? e : newest;
                    steps++;
                }
            }
            CqEvent meant = mine == null ? newest : mine;
            if (meant == null) {
                return;
            }
            meant.counted();
            CqEvent live = seen;
            while (live != null && live.holder() == null) {
                live = live.next;
            }
            if (live != seen) {
                TOP.compareAndSet(this, seen, live);
            }
        }
    }

    /**
     * Whether {@code thread} must hold one of the outstanding events, because the others hold
     * fewer.
     */
    boolean isHeldBy(Thread thread) {
        int outstanding = outstanding();
        boolean some = false;
        int others = 0;
        for (CqEvent e = top; e != null && others < outstanding; e = e.next) {
            Thread holder = e.holder();
            if (holder == thread) {
                some = true;
            } else if (holder != null) {
                others++;
            }
        }
        return some && others < outstanding;
    }

    /**
     * Unlinks what is acknowledged below {@code from}, and what is more than can be outstanding.
     */
    private static void compact(CqEvent from, int outstanding) {
        int kept = 1;
        CqEvent last = from;
        for (CqEvent e = from.next; e != null && kept < outstanding; e = e.next) {
            if (e.holder() != null) {
                last.next = e;
                last = e;
                kept++;
            }
        }
        last.next = null;
        from.depth = kept;
    }

    /** The threads that hold the outstanding events; empty if that cannot be told. */
    List<Thread> holders() {
        int outstanding = outstanding();
        List<Thread> holders = new ArrayList<>();
        for (CqEvent e = top; e != null && holders.size() <= outstanding; e = e.next) {
            Thread holder = e.holder();
            if (holder != null) {
                holders.add(holder);
            }
        }
        return holders.size() == outstanding ? holders : List.of();
    }
}
