package io.loomverbs.schedule;

import java.util.PriorityQueue;

/** Time that stands still until it is told to jump to the next alarm. */
final class VirtualClock {
    /**
     * Alarms later than this are as good as never: if only they were left, no thread would ever
     * wake.
     */
    static final long NEVER = 1L << 60;

    private final PriorityQueue<Alarm> alarms = new PriorityQueue<>();
    private long now;
    private long lastNumber;

    /** Something due at a time; of two at one time, the one that was set first comes first. */
    static final class Alarm implements Comparable<Alarm> {
        private final long due;
        private final long number;
        private final Runnable action;

        private Alarm(long due, long number, Runnable action) {
            this.due = due;
            this.number = number;
            this.action = action;
        }

        @Override
        public int compareTo(Alarm other) {
            int byTime = Long.compare(due, other.due);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    long now() {
        return now;
    }

    Alarm in(long nanos, Runnable action) {
        long due = nanos >= NEVER ? Long.MAX_VALUE : now + nanos;
        Alarm alarm = new Alarm(due, ++lastNumber, action);
        alarms.add(alarm);
        return alarm;
    }

    void cancel(Alarm alarm) {
        alarms.remove(alarm);
    }

    /** Jumps to the next alarm and rings it; false if there is none. */
    boolean jump() {
        Alarm next = alarms.peek();
        if (next == null || next.due >= NEVER) {
            return false;
        }
        alarms.poll();
        now = next.due;
        next.action.run();
        return true;
    }
}
