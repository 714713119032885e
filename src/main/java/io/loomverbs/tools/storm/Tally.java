package io.loomverbs.tools.storm;

import org.HdrHistogram.Histogram;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/** What all handlers of a storm count. */
final class Tally {
    final LongAdder events = new LongAdder();
    final LongAdder messages = new LongAdder();
    final LongAdder duplicated = new LongAdder();
    final LongAdder corrupted = new LongAdder();
    final LongAdder dropped = new LongAdder();
    final LongAdder destroyed = new LongAdder();

    private final AtomicInteger served = new AtomicInteger();
    private final AtomicLongArray gaps;
    private final AtomicIntegerArray handlers;
    private final AtomicIntegerArray cqs;

    /** Set by the thread that serves the last CQ for the first time. */
    private volatile long steadySince;

    Tally(int cqs) {
        this.handlers = new AtomicIntegerArray(cqs);
        this.cqs = new AtomicIntegerArray(cqs);
        this.gaps = new AtomicLongArray(cqs);
    }

    /** A handler has received an event of a CQ. */
    void event(int handler, int cq) {
        events.increment();
        work(handler, cq);
    }

    /** A handler has something of a CQ to do. */
    void work(int handler, int cq) {
        mark(handlers, handler);
        if (mark(cqs, cq) && served.incrementAndGet() == cqs.length()) {
            steadySince = System.nanoTime();
        }
    }

    /** Reads first: after the first event this writes nothing. */
    private static boolean mark(AtomicIntegerArray marks, int index) {
        return marks.getOpaque(index) == 0 && marks.compareAndSet(index, 0, 1);
    }

    /** When every CQ had been served, or 0 as long as some has not. */
    long steadySince() {
        return steadySince;
    }

    /** A CQ was not served for so long; for one thread at a time for each CQ. */
    void gap(int cq, long nanos) {
        if (nanos > gaps.getPlain(cq)) {
            gaps.setOpaque(cq, nanos);
        }
    }

    /** The longest time for which each CQ was not served. */
    Histogram gaps() {
        Histogram all = StormScratch.newHistogram();
        for (int i = 0; i < gaps.length(); i++) {
            all.recordValue(Math.clamp(gaps.getOpaque(i), 0, StormScratch.LONGEST_NANOS));
        }
        return all;
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
