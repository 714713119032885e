package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import java.util.function.IntSupplier;

/** How many completions of a CQ are spoken for. Only what opens and closes takes the lock. */
final class CqRoom {
    @GuardedBy("this")
    private int reserved;

    synchronized int reserved() {
        return reserved;
    }

    /** Reserves as many as there is room for, within limits; -1 if that is not even the least. */
    synchronized int reserve(CompletionQueue cq, int least, int most) {
        Arguments.inRange("least", least, 0, Integer.MAX_VALUE, "of cqe");
        Arguments.inRange("most", most, least, Integer.MAX_VALUE, "from least on");
        int room = cq.cqe() - reserved;
        if (least > room) {
            return -1;
        }
        int granted = Math.min(most, room);
        reserved += granted;
        return granted;
    }

    synchronized void unreserve(CompletionQueue cq, int completions) {
        Arguments.inRange("completions", completions, 0, Integer.MAX_VALUE, "of those reserved");
        if (completions > reserved) {
            throw new IllegalStateException(
                    "completions is " + completions + ", but " + cq + " has reserved " + reserved);
        }
        reserved -= completions;
    }

    /** Changes the size unless it is too small: nobody reserves or gives back meanwhile. */
    synchronized int resize(CompletionQueue cq, int cqe, IntSupplier change) {
        if (cqe < reserved) {
            throw new IllegalStateException(
                    "cqe is "
                            + cqe
                            + ", but "
                            + reserved
                            + " completions of "
                            + cq
                            + " are reserved: close the blocking requests, or whatever has"
                            + " reserved them, first");
        }
        return change.getAsInt();
    }
}
