package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.Context;
import io.loomverbs.CqEvent;

import java.util.ArrayList;
import java.util.List;

/**
 * Events, timeouts and interrupts meet. An interrupt is either thrown or stays pending, and an
 * event is either returned or left to another thread.
 */
final class InterruptScenario implements Scenario {
    @Override
    public void play(Schedule schedule) {
        ScriptedDevice device = ScriptedDevice.create();
        Context context = device.open();
        Feed feed = Feed.direct(device, context);
        List<Thread> waiters = new ArrayList<>();
        int n = schedule.between(1, 3);
        for (int i = 0; i < n; i++) {
            waiters.add(schedule.thread("waiter " + i, () -> interruptedOnce(schedule, feed)));
        }
        schedule.thread("interrupter", () -> waiters.forEach(Thread::interrupt));
        int events = schedule.between(1, n);
        schedule.thread(
                "raiser",
                () -> {
                    for (int i = 0; i < events; i++) {
                        feed.raise();
                    }
                });
        schedule.run();
        while (feed.received < feed.raised) {
            CqEvent event = feed.tryGet();
            check(event != null, "an event is lost");
            Feed.received(event);
            event.close();
        }
        feed.checkAllReceived();
        feed.cq.close();
        context.close();
    }

    private static void interruptedOnce(Schedule schedule, Feed feed) {
        boolean thrown = false;
        try (CqEvent event = schedule.oneIn(2) ? feed.get() : feed.get(schedule.timeout())) {
            if (event != null) {
                Feed.received(event);
            }
        } catch (InterruptedException e) {
            check(!Thread.currentThread().isInterrupted(), "one interrupt has come twice");
            thrown = true;
        }
        while (!thrown && !Thread.interrupted()) {
            SchedulePoint.park(feed);
        }
    }
}
