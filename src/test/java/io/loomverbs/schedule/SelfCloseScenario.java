package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;

/**
 * A thread closes a CQ while it holds one of its events. If no thread helps, it is told so after a
 * second; if a thread acknowledges for it, it succeeds, or has been told before that.
 */
final class SelfCloseScenario implements Scenario {
    private static final long SECOND = 1_000_000_000L;

    @Override
    public void play(Schedule schedule) {
        SchedulePoint.lookEvery(SECOND);
        ScriptedDevice device = ScriptedDevice.create();
        Context context = device.open();
        Feed feed = Feed.direct(device, context);
        boolean helped = schedule.oneIn(2);
        int held = schedule.between(1, 2);
        schedule.thread("closer", () -> closeHolding(schedule, feed, held, helped));
        for (int i = 0; i < held; i++) {
            schedule.thread("raiser", feed::raise);
        }
        schedule.run();
        feed.cq.close();
        feed.checkClosed();
        context.close();
    }

    private static void closeHolding(Schedule schedule, Feed feed, int held, boolean helped)
            throws InterruptedException {
        CqEvent[] events = new CqEvent[held];
        for (int i = 0; i < held; i++) {
            events[i] = feed.get();
            Feed.received(events[i]);
        }
        if (helped) {
            for (CqEvent event : events) {
                schedule.thread("helper", event::close);
            }
        }
        long start = schedule.nanoTime();
        try {
            feed.cq.close();
            check(helped, "closed, and an event is unacknowledged");
        } catch (VerbsException e) {
            check(e.errnoName().equals("EDEADLK"), e.toString());
            check(schedule.nanoTime() - start >= SECOND, "it has not waited for a second");
            check(feed.device.destroyed == 0, "destroyed by a close that failed");
            for (CqEvent event : events) {
                event.close();
            }
        }
    }
}
