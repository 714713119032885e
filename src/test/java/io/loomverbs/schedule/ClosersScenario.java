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
 * Several closers of one CQ whose events are being acknowledged: patient ones, impatient ones,
 * interrupted ones, and a device that says no. Once one succeeds, all later ones do; if none does,
 * the CQ is as good as before.
 */
final class ClosersScenario implements Scenario {
    @Override
    public void play(Schedule schedule) throws Exception {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context;
        private final CompletionChannel channel;
        private final Feed feed;
        private final List<Thread> closers = new ArrayList<>();
        private final Set<Thread> interrupted = new HashSet<>();
        private int succeeded;

        Play(Schedule schedule) {
            this.schedule = schedule;
            ScriptedDevice device = ScriptedDevice.create();
            context = device.open();
            channel = context.createCompChannel();
            feed =
                    schedule.oneIn(2)
                            ? Feed.direct(device, context)
                            : Feed.on(channel, device, context);
            feed.device.refusals = schedule.between(0, 2);
        }

        void run() throws InterruptedException {
            int held = schedule.between(0, 3);
            for (int i = 0; i < held; i++) {
                feed.raise();
                CqEvent event = feed.get();
                Feed.received(event);
                if (schedule.oneIn(4)) {
                    schedule.thread("acknowledger", () -> feed.cq.ackEvents(1));
                } else {
                    schedule.thread("acknowledger", event::close);
                }
            }
            int n = schedule.between(1, 3);
            for (int i = 0; i < n; i++) {
                closers.add(schedule.thread("closer " + i, this::close));
            }
            if (schedule.oneIn(3)) {
                schedule.thread("raiser", feed::raise);
            }
            if (schedule.oneIn(3)) {
                schedule.thread("interrupter", this::interrupt);
            }
            schedule.run();
            if (succeeded == 0) {
                isWhole();
            }
            feed.checkClosed();
            channel.close();
            context.close();
        }

        private void close() {
            Duration timeout = schedule.oneIn(3) ? Duration.ZERO : schedule.timeout();
            boolean timed = schedule.oneIn(2);
            long start = schedule.nanoTime();
            try {
                if (timed) {
                    feed.cq.close(timeout);
                } else {
                    feed.cq.close();
                }
                succeeded++;
                feed.checkClosed();
                feed.checkWaitsEnd();
            } catch (VerbsException e) {
                boolean late = "ETIMEDOUT".equals(e.errnoName());
                check(!late || timed, "a close has timed out that must not");
                check(
                        !late || schedule.nanoTime() - start >= timeout.toNanos(),
                        "a close has timed out early");
            }
            Thread me = Thread.currentThread();
            check(!interrupted.contains(me) || me.isInterrupted(), "an interrupt is lost");
        }

        private void interrupt() {
            Thread closer = closers.get(schedule.between(0, closers.size() - 1));
            closer.interrupt();
            interrupted.add(closer);
        }

        private void isWhole() throws InterruptedException {
            check(feed.device.destroyed == 0, "no thread has closed it, and it is destroyed");
            feed.device.refusals = 0;
            while (feed.received < feed.raised) {
                CqEvent event = feed.tryGet();
                check(event != null, "an event is lost");
                Feed.received(event);
                event.close();
            }
            feed.checkAllReceived();
            feed.cq.close(Duration.ZERO);
        }
    }
}
