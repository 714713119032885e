package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/** The CQs of a context, linked through themselves: that is all they cost. */
final class CqList {
    private final Object lock = new Object();

    /** Under the lock, as are the links. */
    private @Nullable SoftCq first;

    void add(SoftCq cq) {
        synchronized (lock) {
            SoftCq second = first;
            cq.next = second;
            if (second != null) {
                second.previous = cq;
            }
            first = cq;
        }
    }

    void remove(SoftCq cq) {
        synchronized (lock) {
            SoftCq before = cq.previous;
            SoftCq after = cq.next;
            if (before != null) {
                before.next = after;
            } else {
                first = after;
            }
            if (after != null) {
                after.previous = before;
            }
            cq.previous = null;
            cq.next = null;
        }
    }

    List<SoftCq> all() {
        synchronized (lock) {
            List<SoftCq> all = new ArrayList<>();
            for (SoftCq cq = first; cq != null; cq = cq.next) {
                all.add(cq);
            }
            return all;
        }
    }
}
