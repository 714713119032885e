package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * CQs are closed, by one thread or two at once, while events come up and are waited for; some are
 * created anew; then the channel is closed under its waiters, and the context.
 */
final class ClosingScenario implements Scenario {
    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final ScriptedDevice device = ScriptedDevice.create();
        private final Context context = device.open();
        private final CompletionChannel channel = context.createCompChannel();
        private final List<Feed> feeds = new ArrayList<>();
        private int closersLeft;

        Play(Schedule schedule) {
            this.schedule = schedule;
        }

        void run() {
            int shared = schedule.between(0, 2);
            for (int i = 0; i < shared; i++) {
                add(Feed.on(channel, device, context));
            }
            if (shared == 0 || schedule.oneIn(2)) {
                Feed direct = Feed.direct(device, context);
                add(direct);
                schedule.thread("direct waiter", () -> receive(direct));
            }
            for (int n = schedule.between(1, 2); n > 0; n--) {
                schedule.thread("waiter", () -> receive(feeds.getFirst()));
            }
            for (int n = schedule.between(1, 2); n > 0; n--) {
                schedule.thread("raiser", this::raise);
            }
            schedule.run();
            check(closersLeft == 0, "closers are left");
            context.close();
        }

        private void add(Feed feed) {
            feeds.add(feed);
            feed.device.refusals = schedule.oneIn(2) ? schedule.between(1, 2) : 0;
            int closers = schedule.between(1, 2);
            closersLeft += closers;
            int lives = schedule.between(0, 1);
            for (int i = 0; i < closers; i++) {
                boolean recreates = i == 0 && lives > 0 && !feed.isDirect();
                schedule.thread("closer", () -> closeAndGoOn(feed, recreates));
            }
        }

        private void raise() {
            for (int n = schedule.between(1, 4); n > 0; n--) {
                feeds.get(schedule.between(0, feeds.size() - 1)).raise();
            }
        }

        private void receive(Feed queue) throws InterruptedException {
            try {
                for (; ; ) {
                    CqEvent event = schedule.oneIn(3) ? queue.get(schedule.timeout()) : queue.get();
                    if (event == null) {
                        continue;
                    }
                    Feed feed = Feed.received(event);
                    if (schedule.oneIn(2)) {
                        feed.cq.ackEvents(1);
                    } else {
                        event.close();
                    }
                }
            } catch (ClosedException end) {
                // What it has waited for.
            }
        }

        private void closeAndGoOn(Feed feed, boolean recreates) {
            while (!closed(feed)) {
                schedule.pause();
            }
            feed.checkClosed();
            if (recreates) {
                Feed next = Feed.on(channel, device, context);
                add(next);
                next.raise();
            }
            if (--closersLeft == 0) {
                channel.close();
            }
        }

        private boolean closed(Feed feed) {
            try {
                switch (schedule.between(0, 3)) {
                    case 0 -> feed.cq.close(Duration.ZERO);
                    case 1 -> feed.cq.close(schedule.timeout());
                    default -> feed.cq.close();
                }
                return true;
            } catch (VerbsException busyOrLate) {
                return false;
            }
        }
    }
}
