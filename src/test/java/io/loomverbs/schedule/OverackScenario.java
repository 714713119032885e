package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * More is acknowledged than was received, by several threads, while events come and a close is
 * tried: there must be an order of these calls, each somewhere between its begin and its end, in
 * which each answers what a plain counter would have answered.
 */
final class OverackScenario implements Scenario {
    private enum Kind {
        DELIVERED,
        ACKED,
        REFUSED,
        CLOSED,
        TIMED_OUT
    }

    /** A call: what it did to how many events, and when, in steps of the scenario's own clock. */
    private record Call(Kind kind, int n, int begin, int end) {}

    @Override
    public void play(Schedule schedule) throws Exception {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context;
        private final Feed feed;
        private final List<Call> calls = new ArrayList<>();
        private int clock;

        Play(Schedule schedule) {
            this.schedule = schedule;
            ScriptedDevice device = ScriptedDevice.create();
            context = device.open();
            feed = Feed.direct(device, context);
            feed.device.refusals = schedule.between(0, 1);
        }

        void run() {
            int held = schedule.between(0, 3);
            for (int i = 0; i < held; i++) {
                feed.raise();
                check(feed.tryGet() != null, "an event is lost");
            }
            int ackers = schedule.between(2, 4);
            for (int i = 0; i < ackers; i++) {
                int n = schedule.oneIn(8) ? 5000 : schedule.between(1, 3);
                schedule.thread("acknowledger of " + n, () -> acknowledge(n));
            }
            if (schedule.oneIn(2)) {
                schedule.thread("receiver", this::receive);
            }
            if (schedule.oneIn(2)) {
                schedule.thread("closer", this::close);
            }
            schedule.run();
            int left = held;
            for (Call call : calls) {
                left += change(call);
            }
            check(
                    feed.cq.unackedEvents() == left,
                    feed.cq.unackedEvents() + " events are unacknowledged, and should be " + left);
            check(isInOrder(calls, held), held + " events were held, and in no order: " + calls);
            if (left > 0) {
                feed.cq.ackEvents(left);
            }
            feed.device.refusals = 0;
            feed.cq.close(Duration.ZERO);
            feed.checkClosed();
            context.close();
        }

        private void acknowledge(int n) {
            int begin = clock++;
            Kind kind = Kind.ACKED;
            try {
                feed.cq.ackEvents(n);
            } catch (IllegalStateException e) {
                kind = Kind.REFUSED;
            }
            calls.add(new Call(kind, n, begin, clock++));
        }

        private void receive() {
            feed.raise();
            int begin = clock++;
            try {
                CqEvent event = feed.tryGet();
                if (event != null) {
                    calls.add(new Call(Kind.DELIVERED, 1, begin, clock++));
                }
            } catch (IllegalStateException closed) {
                // Then there is none.
            }
        }

        private void close() {
            int begin = clock++;
            try {
                feed.cq.close(schedule.timeout());
                calls.add(new Call(Kind.CLOSED, 0, begin, clock++));
            } catch (VerbsException e) {
                if ("ETIMEDOUT".equals(e.errnoName())) {
                    calls.add(new Call(Kind.TIMED_OUT, 0, begin, clock++));
                } // else the device has refused, and nothing has changed
            }
        }

        private static int change(Call call) {
            return switch (call.kind) {
                case DELIVERED -> call.n;
                case ACKED -> -call.n;
                case REFUSED, CLOSED, TIMED_OUT -> 0;
            };
        }

        /** Whether some order is possible of what is left, each next one before any other's end. */
        private static boolean isInOrder(List<Call> left, int count) {
            if (left.isEmpty()) {
                return true;
            }
            int firstEnd = left.stream().mapToInt(Call::end).min().getAsInt();
            for (Call next : left) {
                if (next.begin <= firstEnd && answers(next, count)) {
                    List<Call> others = new ArrayList<>(left);
                    others.remove(next);
                    if (isInOrder(others, count + change(next))) {
                        return true;
                    }
                }
            }
            return false;
        }

        private static boolean answers(Call call, int count) {
            return switch (call.kind) {
                case DELIVERED -> true;
                case ACKED -> count >= call.n;
                case REFUSED -> count < call.n;
                case CLOSED -> count == 0;
                case TIMED_OUT -> count > 0;
            };
        }
    }
}
