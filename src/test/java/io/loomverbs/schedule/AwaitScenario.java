package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.soft.FreshDevice;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Several threads await completions of one CQ and leave with what they get; some give up early.
 * There are enough for all, so each that waits must get one, though they share one arm.
 */
final class AwaitScenario implements Scenario {
    private static final int QKEY = 1;

    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final CompletionQueue cq;
        private final CompletionQueue silent;
        private final QueuePair qp;
        private final QueuePair lone;
        private final AddressHandle self = pd.createAh(AhAttributes.of(context.gid(1, 0), 0));
        private final List<Thread> takers = new ArrayList<>();
        private final BitSet taken = new BitSet();

        Play(Schedule schedule) {
            this.schedule = schedule;
            cq = context.createDirectCq(16, strategy());
            silent = context.createDirectCq(4, strategy());
            lone = pd.createQp(QpConfig.of(QpType.UD, silent));
            lone.activate(QKEY);
            qp = pd.createQp(QpConfig.of(QpType.UD, cq));
            qp.activate(QKEY);
        }

        void run() {
            int patient = 0;
            for (int i = schedule.between(1, 3); i > 0; i--) {
                int times = schedule.between(1, 3);
                patient += times;
                schedule.thread("taker " + i, () -> take(times));
            }
            Thread lonely = schedule.thread("lonely taker", this::takeOneAndWait);
            schedule.thread("poster", () -> post(lone, 0));
            schedule.thread("interrupter", lonely::interrupt);
            for (int n = schedule.between(0, 2); n > 0; n--) {
                takers.add(schedule.thread("impatient taker", () -> take(true)));
            }
            if (!takers.isEmpty()) {
                schedule.thread("interrupter", () -> takers.getFirst().interrupt());
            }
            int completions = patient + takers.size();
            int split = schedule.between(0, completions);
            schedule.thread("poster", () -> post(0, split));
            schedule.thread("poster", () -> post(split, completions));
            schedule.run();
            WorkCompletions rest = WorkCompletions.allocate(16);
            cq.poll(rest);
            mark(rest);
            check(taken.cardinality() == completions, "taken of " + completions + ": " + taken);
            qp.close();
            lone.close();
            cq.close();
            silent.close();
            self.close();
            pd.close();
            context.close();
        }

        private WaitStrategy strategy() {
            WaitStrategy[] all = WaitStrategy.values();
            return all[schedule.between(0, all.length - 1)];
        }

        private void take(int times) {
            for (int n = times; n > 0; n--) {
                take(false);
            }
        }

        /** However it waits, there is one completion, and then only an interrupt ends it. */
        private void takeOneAndWait() {
            WorkCompletions batch = WorkCompletions.allocate(2);
            try {
                check(silent.await(batch) == 1, "not one completion");
                silent.await(batch);
                check(false, "a completion of nothing");
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "it stays interrupted");
            }
        }

        /** One each, so that there are enough for all. */
        private void take(boolean impatient) {
            WorkCompletions batch = WorkCompletions.allocate(1);
            try {
                if (impatient && schedule.oneIn(2)) {
                    cq.await(batch, 1, schedule.timeout(), strategy());
                } else {
                    cq.await(batch);
                }
                check(impatient || batch.size() == 1, "it has waited for nothing");
                mark(batch);
            } catch (InterruptedException e) {
                check(impatient, "interrupted by no thread");
                check(batch.isEmpty(), "what was polled is lost by an interrupt");
            }
        }

        private void mark(WorkCompletions batch) {
            for (int i = 0; i < batch.size(); i++) {
                int id = (int) batch.wrId(i);
                check(!taken.get(id), "request " + id + " has completed twice");
                taken.set(id);
            }
        }

        private void post(int from, int to) {
            for (int i = from; i < to; i++) {
                post(qp, i);
            }
        }

        private void post(QueuePair from, int id) {
            from.postSend(
                    SendWorkRequest.allocate(1, 0)
                            .wrId(id)
                            .send()
                            .to(self, from.qpNum(), QKEY)
                            .signaled());
        }
    }
}
