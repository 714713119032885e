package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.soft.FreshDevice;

import java.util.ArrayList;
import java.util.List;

/**
 * Things are created from what others are closing: queue pairs from CQs, CQs from a channel, all of
 * it from a context. Whatever has users stays open, and whatever is closed gets none.
 */
final class ChurnScenario implements Scenario {
    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final CompletionChannel channel = context.createCompChannel();
        private final ProtectionDomain pd = context.allocPd();
        private final CompletionQueue cq = context.createCq(4, null, channel, 0);

        Play(Schedule schedule) {
            this.schedule = schedule;
        }

        void run() {
            schedule.thread("waiter", this::waitForTheEnd);
            for (int n = schedule.between(1, 2); n > 0; n--) {
                schedule.thread("creator of queue pairs", this::createQps);
            }
            if (schedule.oneIn(2)) {
                schedule.thread("creator of CQs", this::createCqs);
            }
            List<Schedule.Body> closes = new ArrayList<>();
            closes.add(cq::close);
            closes.add(channel::close);
            closes.add(pd::close);
            closes.add(context::close);
            if (schedule.oneIn(3)) {
                closes.add(cq::close);
                closes.add(channel::close);
                closes.add(context::close);
            }
            closes.forEach(close -> schedule.thread("closer", () -> untilClosed(close)));
            schedule.run();
        }

        private void waitForTheEnd() throws InterruptedException {
            try {
                channel.getCqEvent().close();
                throw new AssertionError("an event of a CQ that has no completions");
            } catch (ClosedException end) {
                // What it has waited for.
            }
        }

        private void createQps() {
            for (int n = schedule.between(1, 3); n > 0; n--) {
                try {
                    QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq));
                    check(qp.qpNum() > 0, "a queue pair without a number");
                    checkBusy(cq::close, "a CQ was closed that has a queue pair");
                    qp.close();
                } catch (ClosedException e) {
                    return;
                }
            }
        }

        private void createCqs() {
            for (int n = schedule.between(1, 3); n > 0; n--) {
                try {
                    CompletionQueue created = context.createCq(1, null, channel, 0);
                    checkBusy(channel::close, "a channel was closed that has a CQ");
                    created.close();
                } catch (ClosedException e) {
                    return;
                }
            }
        }

        private void checkBusy(Runnable close, String otherwise) {
            try {
                close.run();
                throw new AssertionError(otherwise);
            } catch (VerbsException e) {
                check(e.errnoName().equals("EBUSY"), e.toString());
            }
        }

        private void untilClosed(Schedule.Body close) throws Exception {
            for (; ; ) {
                try {
                    close.run();
                    return;
                } catch (VerbsException e) {
                    check(e.errnoName().equals("EBUSY"), e.toString());
                    SchedulePoint.spin();
                }
            }
        }
    }
}
