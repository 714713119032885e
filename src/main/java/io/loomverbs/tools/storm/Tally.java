package io.loomverbs.tools.storm;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;

/** What all handlers of a storm count. */
final class Tally {
    final LongAdder events = new LongAdder();
    final LongAdder messages = new LongAdder();
    final LongAdder duplicated = new LongAdder();
    final LongAdder corrupted = new LongAdder();
    final LongAdder dropped = new LongAdder();
    final LongAdder destroyed = new LongAdder();

    private final AtomicIntegerArray handlers;
    private final AtomicIntegerArray cqs;

    Tally(int cqs) {
        this.handlers = new AtomicIntegerArray(cqs);
        this.cqs = new AtomicIntegerArray(cqs);
    }

    /** A handler has received an event of a CQ. */
    void event(int handler, int cq) {
        events.increment();
        mark(handlers, handler);
        mark(cqs, cq);
    }

    /** Reads first: after the first event this writes nothing. */
    private static void mark(AtomicIntegerArray marks, int index) {
        if (marks.getOpaque(index) == 0) {
            marks.setOpaque(index, 1);
        }
    }

    int handlersAtWork() {
        return count(handlers);
    }

    int cqsServed() {
        return count(cqs);
    }

    private static int count(AtomicIntegerArray marks) {
        int n = 0;
        for (int i = 0; i < marks.length(); i++) {
            n += marks.getOpaque(i);
        }
        return n;
    }
}
