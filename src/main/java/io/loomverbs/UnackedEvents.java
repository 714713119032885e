package io.loomverbs;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The events of one CQ that were received and not closed, for diagnosis: a close that waits can say
 * which threads hold them, and notices when it is its own thread.
 */
final class UnackedEvents {
    /*
     * A stack that is linked through the events themselves, so that it costs no allocation. Receiving an
     * event pushes it; acknowledging one only clears its taker. Acknowledged events are left out when the
     * next one is pushed, if they are on top, and when the stack has grown to twice what the ledger says
     * is outstanding.
     *
     * The ledger decides, this only explains. Events that are acknowledged by count stay here as if they
     * were held, and so does, for a moment, what races with a push; that is why holders() tells nothing
     * unless the number of events here is the ledger's. The links are written without synchronization
     * except at the top: a stale link at worst shows an event that is acknowledged by now.
     */
    private static final int SLACK = 16;
    private static final VarHandle TOP;

    static {
        try {
            TOP = MethodHandles.lookup().findVarHandle(UnackedEvents.class, "top", CqEvent.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Changed by compare-and-set. */
    private volatile @Nullable CqEvent top;

    void add(CqEvent event, int outstanding) {
        CqEvent seen;
        do {
            seen = top;
            CqEvent below = seen;
            while (below != null && below.taker() == null) {
                below = below.next;
            }
            event.next = below;
            event.depth = below == null ? 1 : below.depth + 1;
        } while (!TOP.compareAndSet(this, seen, event));
        if (event.depth > 2L * outstanding + SLACK) {
            compact(event, outstanding);
        }
    }

    /**
     * Unlinks what is acknowledged below {@code from}, and what is more than can be outstanding.
     */
    private static void compact(CqEvent from, int outstanding) {
        int kept = 1;
        CqEvent last = from;
        for (CqEvent e = from.next; e != null && kept < outstanding; e = e.next) {
            if (e.taker() != null) {
                last.next = e;
                last = e;
                kept++;
            }
        }
        last.next = null;
        from.depth = kept;
    }

    /** The threads that hold the {@code outstanding} events; empty if that cannot be told. */
    List<Thread> holders(int outstanding) {
        List<Thread> holders = new ArrayList<>();
        for (CqEvent e = top; e != null && holders.size() <= outstanding; e = e.next) {
            Thread taker = e.taker();
            if (taker != null) {
                holders.add(taker);
            }
        }
        return holders.size() == outstanding ? holders : List.of();
    }
}
