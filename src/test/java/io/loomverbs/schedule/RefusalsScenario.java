package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.VerbsException;

/**
 * A device that refuses to destroy a channel, some times, while several threads close it and create
 * CQs on it: each of them waits for the outcome, and goes on whichever that is.
 */
final class RefusalsScenario implements Scenario {
    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final ScriptedDevice device = ScriptedDevice.create();
        private final Context context = device.open();
        private final CompletionChannel channel = context.createCompChannel();
        private boolean closed;

        Play(Schedule schedule) {
            this.schedule = schedule;
            device.channelRefusals = schedule.between(0, 4);
        }

        void run() {
            for (int n = schedule.between(2, 4); n > 0; n--) {
                schedule.thread("closer", this::close);
            }
            for (int n = schedule.between(0, 2); n > 0; n--) {
                schedule.thread("creator", this::create);
            }
            schedule.run();
            device.channelRefusals = 0;
            channel.close();
            context.close();
        }

        private void close() {
            for (int n = schedule.between(1, 3); n > 0; n--) {
                try {
                    channel.close();
                    closed = true;
                    check(device.channelRefusals == 0, "closed against the device's will");
                    return;
                } catch (VerbsException e) {
                    check(e.errnoName().equals("EBUSY"), e.toString());
                }
            }
        }

        private void create() {
            boolean wasClosed = closed;
            try {
                CompletionQueue cq = context.createCq(1, null, channel, 0);
                check(!wasClosed && !closed, "created from a channel that is closed");
                cq.close();
            } catch (ClosedException e) {
                check(device.channelRefusals == 0, "closed against the device's will");
            }
        }
    }
}
