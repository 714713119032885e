package io.loomverbs;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.QueuedCq;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The events of one CQ: the state of their delivery and, for diagnosis, which threads hold received
 * events, so that a waiting close can name them, and detects that it waits for its own thread.
 */
final class CqDelivery extends QueuedCq implements CqListener {
    /*
     * This one object, of 64 bytes with its superclasses, has everything that an event needs of its
     * CQ. With many CQs, it is not in the caches when an event needs it.
     *
     * A stack that is linked through the events themselves records which threads hold events, at no
     * allocation. Receiving an event pushes it; acknowledging one only marks it. Acknowledged
     * events are removed when they are on top, and when the stack has grown to twice the number of
     * outstanding events.
     *
     * An acknowledgement by count does not say which events are meant. While one thread has
     * received all events in the stack, the newest are marked. Otherwise none is marked, and the
     * stack is in doubt: it names no thread. That ends when an event is received while no other is
     * outstanding: all events below it are acknowledged, and are cut off. Such an event records the
     * number of doubts when it was pushed, and events above it copy that. An event that is received
     * as its CQ alone has no object and is in no stack: the stack is in doubt from then on.
     *
     * The count decides, and the stack only explains: a thread must hold an event if all others
     * together hold fewer events than are outstanding. Links other than the top are written without
     * synchronization: a stale link at worst shows an event that is acknowledged by now, so that
     * others seem to hold more events than they do.
     */
    private static final int SLACK = 16;
    private static final VarHandle TOP;
    private static final VarHandle DOUBTS;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TOP = lookup.findVarHandle(CqDelivery.class, "top", CqEvent.class);
            DOUBTS = lookup.findVarHandle(CqDelivery.class, "doubts", short.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final CompletionQueue cq;

    /** Here and not in the CQ: each receiver of an event reads it. */
    final @Nullable Object cqContext;

    /** Changed by compare-and-set. */
    private volatile @Nullable CqEvent top;

    /**
     * How often it came to be in doubt; at the maximum it stays in doubt. Changed by
     * compare-and-set.
     */
    private volatile short doubts;

    CqDelivery(EventQueue queue, CompletionQueue cq, @Nullable Object cqContext) {
        super(queue);
        this.cq = cq;
        this.cqContext = cqContext;
    }

    CompletionQueue cq() {
        return cq;
    }

    @Override
    public void completionEvent() {
        raise();
    }

    @Override
    public void asyncEvent(int type) {
        cq().asyncEvent(type);
    }

    @Override
    public void deviceLost() {
        queue().end(new VerbsException("ibv_get_cq_event", Errno.EIO, "the device was lost"));
    }

    /** Records a received event. */
    void add(CqEvent event) {
        int outstanding;
        CqEvent seen;
        do {
            seen = top;
            short known = doubts;
            outstanding = outstanding();
            if (seen == null || outstanding == 1) {
                event.place(null, false, known);
                continue;
            }
            CqEvent below = seen;
            Thread holder = null;
            while (below != null && (holder = below.holder()) == null) {
                below = below.next;
            }
            boolean mixed = below != null && (below.mixed || holder != Thread.currentThread());
            event.place(below, mixed, seen.doubts);
        } while (!TOP.compareAndSet(this, seen, event));
        if (event.depth > 2L * outstanding + SLACK) {
            compact(event, outstanding);
        }
    }

    /** Records a received event that has no object. */
    void addUnnamed() {
        if (doubts != Short.MAX_VALUE) {
            doubts = Short.MAX_VALUE;
        }
    }

    /** Records that the calling thread acknowledged {@code n} events by count. */
    void counted(int n) {
        if (EventTracking.ENABLED) {
            cq().tracking().counted(n);
        }
        CqEvent seen = top;
        if (seen == null) {
            return;
        }
        if (seen.mixed) {
            doubt(seen);
            return;
        }
        int left = n;
        CqEvent live = seen;
        while (live != null && (left > 0 || live.holder() == null)) {
            if (live.holder() != null) {
                live.counted();
                left--;
            }
            live = live.next;
        }
        if (left > 0) {
            doubt(seen);
        }
        if (live != seen && (live != null || isSure(seen))) {
            TOP.compareAndSet(this, seen, live);
        }
    }

    private void doubt(CqEvent seen) {
        short known = doubts;
        if (isSure(seen)) {
            DOUBTS.compareAndSet(this, known, (short) (known + 1));
        }
    }

    private boolean isSure(CqEvent seen) {
        short now = doubts;
        return seen.doubts == now && now != Short.MAX_VALUE;
    }

    /**
     * Unlinks what is acknowledged below {@code from}, and what is more than can be outstanding.
     */
    private void compact(CqEvent from, int outstanding) {
        int kept = 1;
        CqEvent last = from;
        for (CqEvent e = from.next; e != null; e = e.next) {
            if (e.holder() == null) {
                continue;
            }
            if (kept >= outstanding) {
                doubt(from);
                break;
            }
            last.next = e;
            last = e;
            kept++;
        }
        last.next = null;
        from.depth = kept;
    }

    /**
     * Whether {@code thread} must hold one of the outstanding events, because the others hold
     * fewer.
     */
    boolean isHeldBy(Thread thread) {
        return holders().contains(thread);
    }

    /** The event that has been unacknowledged longest; null if there is none, or it is unknown. */
    @Nullable CqEvent oldest() {
        CqEvent seen = top;
        if (outstanding() == 0 || seen == null) {
            return null;
        }
        CqEvent oldest = null;
        for (CqEvent e = seen; e != null; e = e.next) {
            if (e.holder() != null) {
                oldest = e;
            }
        }
        Thread holder = oldest == null ? null : oldest.holder();
        return holder != null && isHeldBy(holder) ? oldest : null;
    }

    /** The threads that must hold outstanding events; empty if that is unknown. */
    Set<Thread> holders() {
        int before = outstanding();
        CqEvent seen = top;
        Map<Thread, Integer> held = new LinkedHashMap<>();
        int all = 0;
        for (CqEvent e = seen; e != null; e = e.next) {
            Thread holder = e.holder();
            if (holder != null) {
                held.merge(holder, 1, Integer::sum);
                all++;
            }
        }
        int outstanding = Math.min(before, outstanding());
        int known = all;
        held.values().removeIf(n -> known - n >= outstanding);
        return seen == null || !isSure(seen) ? Set.of() : held.keySet();
    }
}
