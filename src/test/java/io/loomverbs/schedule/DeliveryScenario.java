package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.CompletionChannel;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * CQs on a channel and direct ones; threads that raise, wait (without a timeout, with one,
 * interrupted), acknowledge in every way, and closers that do not succeed. However they meet, each
 * event is received once.
 */
final class DeliveryScenario implements Scenario {
    @Override
    public void play(Schedule schedule) throws Exception {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final List<Feed> feeds = new ArrayList<>();
        private final List<Thread> waiters = new ArrayList<>();

        /** Events that a thread may still wait for, by queue: of the channel, of each direct CQ. */
        private final int[] tickets;

        private final List<Feed> queues = new ArrayList<>();

        /** Whether threads wait while they hold events, which an untimed closer rules out. */
        private final boolean hoards;

        Play(Schedule schedule) {
            this.schedule = schedule;
            this.hoards = schedule.oneIn(2);
            ScriptedDevice device = ScriptedDevice.create();
            Context context = device.open();
            CompletionChannel channel = context.createCompChannel();
            int shared = schedule.between(0, 3);
            int direct = schedule.between(shared == 0 ? 1 : 0, 1);
            for (int i = 0; i < shared; i++) {
                feeds.add(Feed.on(channel, device, context));
            }
            if (shared > 0) {
                queues.add(feeds.getFirst());
            }
            for (int i = 0; i < direct; i++) {
                Feed feed = Feed.direct(device, context);
                feeds.add(feed);
                queues.add(feed);
            }
            tickets = new int[queues.size()];
        }

        void run() {
            int raisers = schedule.between(1, 2);
            for (int i = 0; i < raisers; i++) {
                List<Feed> script = new ArrayList<>();
                for (int n = schedule.between(1, 4); n > 0; n--) {
                    Feed feed = feeds.get(schedule.between(0, feeds.size() - 1));
                    script.add(feed);
                    tickets[queueOf(feed)]++;
                }
                schedule.thread("raiser " + i, () -> script.forEach(Feed::raise));
            }
            for (int i = 0; i < queues.size(); i++) {
                for (int n = schedule.between(1, 3); n > 0; n--) {
                    int queue = i;
                    waiters.add(schedule.thread("waiter " + i + "." + n, () -> receive(queue)));
                }
            }
            if (schedule.oneIn(2)) {
                schedule.thread("interrupter", this::interrupt);
            }
            if (schedule.oneIn(2)) {
                Feed feed = feeds.get(schedule.between(0, feeds.size() - 1));
                feed.device.refusals = Integer.MAX_VALUE;
                schedule.thread("closer", () -> closeInVain(feed));
            }
            schedule.run();
            feeds.forEach(Feed::checkAllReceived);
        }

        private int queueOf(Feed feed) {
            return feed.isDirect() ? queues.indexOf(feed) : 0;
        }

        private void receive(int queue) {
            List<Feed> unacked = new ArrayList<>();
            while (tickets[queue] > 0) {
                tickets[queue]--;
                CqEvent event = null;
                while (event == null) {
                    event = receiveOrNot(queues.get(queue));
                }
                Feed feed = Feed.received(event);
                acknowledge(event, feed, unacked);
            }
            unacked.forEach(feed -> feed.cq.ackEvents(1));
        }

        private CqEvent receiveOrNot(Feed queue) {
            try {
                return switch (schedule.between(0, 3)) {
                    case 0 -> queue.tryGet();
                    case 1 -> receiveInTime(queue);
                    default -> queue.get();
                };
            } catch (InterruptedException e) {
                check(
                        !Thread.currentThread().isInterrupted(),
                        "interrupted twice by one interrupt");
                return null;
            }
        }

        private CqEvent receiveInTime(Feed queue) throws InterruptedException {
            Duration timeout = schedule.timeout();
            long start = schedule.nanoTime();
            CqEvent event = queue.get(timeout);
            check(
                    event != null || schedule.nanoTime() - start >= timeout.toNanos(),
                    "a wait has ended early");
            return event;
        }

        private void acknowledge(CqEvent event, Feed feed, List<Feed> unacked) {
            switch (schedule.between(0, 4)) {
                case 0 -> {
                    schedule.thread("helper", event::close);
                    event.close();
                }
                case 1 -> {
                    if (hoards) {
                        unacked.add(feed);
                    } else {
                        feed.cq.ackEvents(1);
                    }
                }
                case 2 -> {
                    overAck(feed);
                    feed.cq.ackEvents(1);
                }
                default -> event.close();
            }
        }

        private void overAck(Feed feed) {
            try {
                feed.cq.ackEvents(1000);
                throw new AssertionError("1000 events were acknowledged");
            } catch (IllegalStateException expected) {
                // Nothing has changed, as the count at the end shows.
            }
        }

        /** Each thread once: a second interrupt looks as if the first had been left set. */
        private void interrupt() {
            Set<Thread> interrupted = new HashSet<>();
            for (int n = schedule.between(1, 3); n > 0; n--) {
                schedule.pause();
                Thread waiter = waiters.get(schedule.between(0, waiters.size() - 1));
                if (interrupted.add(waiter)) {
                    waiter.interrupt();
                }
            }
        }

        private void closeInVain(Feed feed) {
            for (int n = schedule.between(1, 2); n > 0; n--) {
                try {
                    if (!hoards && schedule.oneIn(2)) {
                        feed.cq.close();
                    } else {
                        feed.cq.close(schedule.oneIn(2) ? Duration.ZERO : schedule.timeout());
                    }
                    throw new AssertionError("destroyed against the device's will");
                } catch (VerbsException expected) {
                    check(feed.device.destroyed == 0, "destroyed by a close that failed");
                }
            }
        }
    }
}
