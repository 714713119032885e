package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.AsyncEvent;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.Context;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.Ibv;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Asynchronous events of CQs come up, are waited for and acknowledged, while their CQs are closed,
 * with success or without. If without, each event is received once.
 */
final class AsyncScenario implements Scenario {
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
        private final List<Thread> waiters = new ArrayList<>();
        private final boolean succeed;
        private int raised;
        private int received;
        private int busy;
        private Thread ender;

        Play(Schedule schedule) {
            this.schedule = schedule;
            this.succeed = schedule.oneIn(2);
        }

        void run() {
            for (int n = schedule.between(1, 2); n > 0; n--) {
                Feed feed = Feed.on(channel, device, context);
                feed.device.refusals = succeed ? schedule.between(0, 1) : Integer.MAX_VALUE;
                feeds.add(feed);
                if (schedule.oneIn(2)) {
                    begin("closer", () -> close(feed));
                }
            }
            for (int n = schedule.between(1, 2); n > 0; n--) {
                begin("raiser", this::raise);
            }
            for (int n = schedule.between(1, 2); n > 0; n--) {
                waiters.add(schedule.thread("waiter", this::receive));
            }
            if (schedule.oneIn(3)) {
                begin("interrupter", () -> waiters.getFirst().interrupt());
            }
            schedule.run();
            check(
                    succeed ? received <= raised : received == raised,
                    raised + " raised, " + received + " received");
        }

        /** Those that end by themselves; the last one ends the others. */
        private void begin(String name, Schedule.Body body) {
            busy++;
            schedule.thread(
                    name,
                    () -> {
                        body.run();
                        if (--busy == 0) {
                            end();
                        }
                    });
        }

        private void end() {
            ender = Thread.currentThread();
            while (!succeed && received < raised) {
                SchedulePoint.park(this);
            }
            for (Feed feed : feeds) {
                feed.device.refusals = 0;
                feed.cq.close();
                feed.checkClosed();
            }
            channel.close();
            context.close();
        }

        private void raise() {
            for (int n = schedule.between(1, 3); n > 0; n--) {
                Feed feed = feeds.get(schedule.between(0, feeds.size() - 1));
                raised++;
                feed.device.listener.asyncEvent(Ibv.EVENT_CQ_ERR);
            }
        }

        private void receive() {
            for (; ; ) {
                try {
                    AsyncEvent event =
                            schedule.oneIn(3)
                                    ? context.getAsyncEvent(schedule.timeout())
                                    : context.getAsyncEvent();
                    if (event == null) {
                        continue;
                    }
                    Feed feed = (Feed) event.cq().cqContext();
                    check(feed.device.destroyed == 0, "an event of a CQ that is destroyed");
                    received += event.count();
                    LockSupport.unpark(ender);
                    if (schedule.oneIn(3)) {
                        schedule.thread("helper", event::close);
                    }
                    event.close();
                } catch (InterruptedException e) {
                    // It goes on waiting.
                } catch (ClosedException end) {
                    return;
                }
            }
        }

        private void close(Feed feed) {
            for (int n = schedule.between(1, 3); n > 0; n--) {
                try {
                    feed.cq.close(schedule.timeout());
                } catch (VerbsException busyOrLate) {
                    schedule.pause();
                }
            }
        }
    }
}
