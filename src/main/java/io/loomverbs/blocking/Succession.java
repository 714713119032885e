package io.loomverbs.blocking;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The threads that wait while another one polls, the newest on top. A thread joins with one
 * compare-and-set; one that leaves only marks its waiter, which is unlinked later: by a thread that
 * joins if it is on top, else by the leader.
 */
final class Succession {
    private static final int FEW = 256;
    private static final VarHandle TOP;

    static {
        try {
            TOP = MethodHandles.lookup().findVarHandle(Succession.class, "top", Parked.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** By compare-and-set. Links below it lead down; only the leader changes them. */
    private volatile @Nullable Parked top;

    // Of the leader:
    private int left;
    private int live;

    void join(Parked w) {
        Parked t;
        do {
            t = top;
            w.lower = firstLive(t);
        } while (!TOP.compareAndSet(this, t, w));
    }

    private static @Nullable Parked firstLive(@Nullable Parked from) {
        Parked w = from;
        while (w != null && w.gone) {
            w = w.lower;
        }
        return w;
    }

    /** Wakes the newest waiter, which then looks whether a leader is missing. */
    void wakeNewest() {
        for (; ; ) {
            Parked t = top;
            Parked first = firstLive(t);
            if (first == t || TOP.compareAndSet(this, t, first)) {
                if (first != null) {
                    first.wake();
                }
                return;
            }
        }
    }

    void wakeAll() {
        for (Parked w = top; w != null; w = w.lower) {
            w.wake();
        }
    }

    /** Those that wait now do so since then, unless that is known. For diagnosis. */
    void date(long now) {
        for (Parked w = firstLive(top); w != null; w = firstLive(w.lower)) {
            w.date(now);
        }
    }

    /** The waiters now, the newest first. For diagnosis, by any thread. */
    List<Parked> live() {
        List<Parked> all = new ArrayList<>();
        for (Parked w = firstLive(top); w != null; w = firstLive(w.lower)) {
            all.add(w);
        }
        return all;
    }

    /** Some have probably left: unlinks them, unless that is not worth the walk yet. */
    void prune(int gone) {
        left += gone;
        if (left < Math.max(FEW, live)) {
            return;
        }
        left = 0;
        int n = 0;
        for (Parked w = top; w != null; w = w.lower) {
            w.lower = firstLive(w.lower);
            n++;
        }
        live = n;
    }
}
