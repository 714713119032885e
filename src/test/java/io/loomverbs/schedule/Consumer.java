package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.WorkCompletions;

/** A CQ and the threads that take its completions, in one of the ways that the API offers. */
final class Consumer {
    final CompletionQueue cq;
    final CompletionChannel channel;
    int expected;
    int taken;
    private final Schedule schedule;
    private final Take take;
    private final Schedule.Body whenDone;

    /** What is done with each completion, given the batch that it is in, and its index. */
    @FunctionalInterface
    interface Take {
        void take(WorkCompletions batch, int index);
    }

    /**
     * @param whenDone what happens, once, when all were taken that were expected
     */
    Consumer(Schedule schedule, Context context, Take take, Schedule.Body whenDone) {
        this.schedule = schedule;
        this.take = take;
        this.whenDone = whenDone;
        this.channel = schedule.oneIn(3) ? context.createCompChannel() : null;
        this.cq =
                channel == null
                        ? context.createDirectCq(16)
                        : context.createCq(16, null, channel, 0);
    }

    void start() {
        if (channel != null) {
            schedule.thread("channel consumer", this::drain);
        } else if (schedule.oneIn(2)) {
            cq.serve(this::handle);
        } else {
            boolean alone = schedule.oneIn(2);
            for (int n = alone ? 1 : 2; n > 0; n--) {
                schedule.thread("consumer", () -> await(alone));
            }
        }
    }

    void close() {
        cq.close();
        if (channel != null) {
            channel.close();
        }
    }

    private void handle(WorkCompletions batch) {
        for (int i = 0; i < batch.size(); i++) {
            take.take(batch, i);
        }
        taken += batch.size();
        check(taken <= expected, taken + " completions of " + expected);
        if (taken == expected && !batch.isEmpty()) {
            schedule.thread("finisher", whenDone);
        }
    }

    private void await(boolean alone) throws Exception {
        WorkCompletions batch = WorkCompletions.allocate(4);
        try {
            for (; ; ) {
                if (schedule.oneIn(3)) {
                    cq.await(batch, 1, schedule.timeout());
                } else {
                    int left = Math.max(1, expected - taken);
                    cq.await(batch, alone ? schedule.between(1, Math.min(left, 4)) : 1);
                }
                handle(batch);
            }
        } catch (ClosedException end) {
            // What it has waited for.
        }
    }

    private void drain() throws Exception {
        WorkCompletions batch = WorkCompletions.allocate(2);
        try {
            for (; ; ) {
                cq.reqNotify(false);
                while (cq.poll(batch) > 0) {
                    handle(batch);
                }
                try (CqEvent event = channel.getCqEvent()) {
                    check(event.cq() == cq, "an event of another CQ");
                }
            }
        } catch (ClosedException end) {
            // What it has waited for.
        }
    }
}
