package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.AsyncEvent;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;

import java.util.ArrayList;
import java.util.List;

/**
 * Events that a thread has to fetch, on several channels, for shared and direct CQs and for the
 * context: threads that wait for what will come, and others that wait in vain, time out, are
 * interrupted or closed; they all lead in turn, or when carriers run out leave that to a platform
 * thread. In some schedules the device fails, or one channel. While any thread waits every event is
 * fetched, once, and no thread stays parked.
 */
final class LedScenario implements Scenario {
    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final LedSource source = new LedSource();
        private final ScriptedDevice device = ScriptedDevice.led(source);
        private final Context context = device.open();
        private final List<Feed> feeds = new ArrayList<>();

        /** One CQ of each queue: of a channel, or with direct delivery. */
        private final List<Feed> queues = new ArrayList<>();

        /** The queue of each of {@link #feeds}. */
        private final List<Integer> queueOf = new ArrayList<>();

        private final List<Thread> waiters = new ArrayList<>();
        private int[] tickets;
        private int asyncTickets;
        private boolean fails;
        private int running;

        Play(Schedule schedule) {
            this.schedule = schedule;
        }

        void run() {
            for (int n = schedule.between(1, 2); n > 0; n--) {
                channel();
            }
            if (schedule.oneIn(2)) {
                add(Feed.direct(device, context), queues.size());
            }
            if (schedule.oneIn(3)) {
                source.carriers = schedule.between(0, 2);
            }
            if (schedule.oneIn(3)) {
                source.unready = schedule.between(1, 3);
            }
            tickets = new int[queues.size()];
            asyncTickets = schedule.oneIn(3) ? schedule.between(1, 2) : 0;
            for (int n = schedule.between(1, 2); n > 0; n--) {
                raiser();
            }
            for (int i = 0; i < queues.size(); i++) {
                int queue = i;
                for (int n = schedule.between(1, 2); n > 0; n--) {
                    waiters.add(thread("waiter " + i + "." + n, () -> receive(queue)));
                }
            }
            async();
            bystanders();
            if (schedule.oneIn(3)) {
                interrupted();
            }
            if (schedule.oneIn(2)) {
                thread("interrupter", this::interrupt);
            }
            fails = schedule.oneIn(6);
            if (fails) {
                thread("failure", this::fail);
            }
            schedule.run();
            source.checkLeft();
        }

        private void end() {
            if (!fails) {
                feeds.forEach(Feed::checkAllReceived);
            }
            source.end();
        }

        /** When no thread is left the source ends, and with it a platform thread that leads. */
        private Thread thread(String name, Schedule.Body body) {
            running++;
            return schedule.thread(
                    name,
                    () -> {
                        try {
                            body.run();
                        } finally {
                            if (--running == 0) {
                                end();
                            }
                        }
                    });
        }

        private void channel() {
            CompletionChannel channel = context.createCompChannel();
            int queue = queues.size();
            for (int n = schedule.between(1, 2); n > 0; n--) {
                add(Feed.on(channel, device, context), queue);
            }
            if (schedule.oneIn(2)) {
                add(Feed.directOn(channel, device, context), queues.size());
            }
        }

        private void add(Feed feed, int queue) {
            if (queue == queues.size()) {
                queues.add(feed);
            }
            feeds.add(feed);
            queueOf.add(queue);
        }

        private void raiser() {
            List<Feed> script = new ArrayList<>();
            for (int n = schedule.between(1, 3); n > 0; n--) {
                int i = schedule.between(0, feeds.size() - 1);
                script.add(feeds.get(i));
                tickets[queueOf.get(i)]++;
            }
            thread("raiser", () -> script.forEach(Feed::raise));
        }

        private void receive(int queue) {
            try {
                while (tickets[queue] > 0) {
                    tickets[queue]--;
                    CqEvent event = null;
                    while (event == null) {
                        event = receiveOrNot(queues.get(queue));
                    }
                    Feed.received(event);
                    event.close();
                }
            } catch (VerbsException failed) {
                check(fails, "it has failed, and nothing was wrong");
            }
        }

        private CqEvent receiveOrNot(Feed queue) {
            try {
                return switch (schedule.between(0, 4)) {
                    case 0 -> queue.tryGet();
                    case 1 -> queue.get(schedule.timeout());
                    default -> queue.get();
                };
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "interrupted twice by one");
                return null;
            }
        }

        private void async() {
            int events = asyncTickets;
            if (events == 0) {
                return;
            }
            thread(
                    "port",
                    () -> {
                        for (int i = 0; i < events; i++) {
                            device.portEvent();
                        }
                    });
            waiters.add(thread("async waiter", this::receiveAsync));
        }

        private void receiveAsync() {
            try {
                while (asyncTickets > 0) {
                    try (AsyncEvent event =
                            schedule.oneIn(3)
                                    ? context.getAsyncEvent(schedule.timeout())
                                    : context.getAsyncEvent()) {
                        if (event != null) {
                            asyncTickets -= event.count();
                        }
                    } catch (InterruptedException e) {
                        check(!Thread.currentThread().isInterrupted(), "interrupted twice by one");
                    }
                }
            } catch (VerbsException failed) {
                check(fails, "it has failed, and nothing was wrong");
            }
        }

        /** Threads that wait where no event comes: they lead for the others until they leave. */
        private void bystanders() {
            if (schedule.oneIn(3)) {
                return;
            }
            CompletionChannel channel = schedule.oneIn(2) ? context.createCompChannel() : null;
            Feed idle =
                    channel == null
                            ? Feed.direct(device, context)
                            : Feed.on(channel, device, context);
            for (int n = schedule.between(1, 2); n > 0; n--) {
                waiters.add(thread("bystander " + n, () -> waitInVain(idle)));
            }
            thread(
                    "closer",
                    () -> {
                        idle.cq.close();
                        if (channel != null) {
                            channel.close();
                        }
                    });
        }

        private void waitInVain(Feed idle) {
            for (; ; ) {
                try {
                    CqEvent event = schedule.oneIn(2) ? idle.get() : idle.get(schedule.timeout());
                    check(event == null, "an event came that no thread raised");
                    if (schedule.oneIn(2)) {
                        return;
                    }
                } catch (InterruptedException e) {
                    if (schedule.oneIn(2)) {
                        return;
                    }
                } catch (ClosedException end) {
                    return;
                } catch (VerbsException failed) {
                    check(fails, "it has failed, and nothing was wrong");
                    return;
                }
            }
        }

        /** Nothing but an interrupt ends this wait: it must get into the kernel. */
        private void interrupted() {
            Feed idle = Feed.direct(device, context);
            Thread waiter = thread("to be interrupted", () -> waitForInterrupt(idle));
            thread("its interrupter", waiter::interrupt);
        }

        private void waitForInterrupt(Feed idle) {
            try {
                throw new AssertionError("no thread has raised " + idle.get());
            } catch (InterruptedException expected) {
                idle.cq.close();
            } catch (VerbsException failed) {
                check(fails, "it has failed, and nothing was wrong");
            }
        }

        private void interrupt() {
            int first = schedule.between(0, waiters.size() - 1);
            for (int i = Math.min(waiters.size(), schedule.between(1, 3)); i > 0; i--) {
                schedule.pause();
                waiters.get((first + i) % waiters.size()).interrupt(); // each once
            }
        }

        private void fail() {
            schedule.pause();
            if (schedule.oneIn(2)) {
                source.fail();
            } else {
                List<LedSource.Channel> channels = source.channels();
                channels.get(schedule.between(0, channels.size() - 1)).fail();
            }
        }
    }
}
