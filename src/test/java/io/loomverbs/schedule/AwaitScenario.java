package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.CqStats;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.soft.FreshDevice;

import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Several threads await completions of one CQ and leave with what they get; some give up early.
 * There are enough for all, so each that waits must get one, though they share one arm. Or a thread
 * awaits several at a time while others receive events of their own arms: each completion is polled
 * at once.
 */
final class AwaitScenario implements Scenario {
    private static final int QKEY = 1;

    /** Far more often than time passes early. */
    private static final int LOOKS = 100;

    @Override
    public void play(Schedule schedule) {
        if (schedule.oneIn(2)) {
            new Mixed(schedule).run();
        } else {
            new Play(schedule).run();
        }
    }

    /** Makes queue pairs, each connected to itself, for the completions of a CQ. */
    private static final class Source {
        private final QueuePair qp;
        private final AddressHandle self;

        Source(ProtectionDomain pd, CompletionQueue cq) {
            Context context = pd.context();
            self = pd.createAh(AhAttributes.of(context.gid(1, 0), 0));
            qp = pd.createQp(QpConfig.of(QpType.UD, cq));
            qp.activate(QKEY);
        }

        void complete(int id) {
            qp.postSend(
                    SendWorkRequest.allocate(1, 0)
                            .wrId(id)
                            .send()
                            .to(self, qp.qpNum(), QKEY)
                            .signaled());
        }

        void close() {
            qp.close();
            self.close();
        }
    }

    /** Waits for several beside arms for one. */
    private static final class Mixed {
        private static final int CAPACITY = 4;
        private static final int LATE = 100;

        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final CompletionQueue cq = context.createDirectCq(16, WaitStrategy.EVENTS);
        private final CompletionQueue silent = context.createDirectCq(1, WaitStrategy.EVENTS);
        private final Source source = new Source(pd, cq);
        private final List<Thread> waiting = new ArrayList<>();
        private boolean done;

        Mixed(Schedule schedule) {
            this.schedule = schedule;
        }

        void run() {
            waiting.add(schedule.thread("of several", this::awaitSeveral));
            int late = schedule.between(0, LATE); // to come at any step of the other one
            waiting.add(schedule.thread("by hand", () -> receive(late, Duration.ofDays(1))));
            if (schedule.oneIn(2)) {
                int later = schedule.between(0, LATE);
                schedule.thread("visitor", () -> receive(later, Duration.ZERO));
            }
            schedule.thread("poster", this::post);
            schedule.run();
            source.close();
            cq.close();
            silent.close();
            pd.close();
            context.close();
        }

        private void awaitSeveral() {
            WorkCompletions batch = WorkCompletions.allocate(CAPACITY);
            try {
                while (!done) {
                    cq.await(batch, schedule.between(2, CAPACITY));
                }
            } catch (InterruptedException e) {
                check(done, "interrupted by no thread");
            }
        }

        /** As a program does that arms by itself, without a limit or a few times at once. */
        private void receive(int pauses, Duration timeout) {
            for (int n = pauses; n > 0; n--) {
                schedule.pause();
            }
            WorkCompletions batch = WorkCompletions.allocate(CAPACITY);
            try {
                for (int n = timeout.isZero() ? 3 : Integer.MAX_VALUE; n > 0 && !done; n--) {
                    CqEvent event = cq.getCqEvent(timeout);
                    if (event != null) {
                        event.close();
                    }
                    if (event != null || !timeout.isZero()) {
                        cq.reqNotify(false);
                        cq.poll(batch);
                    }
                }
            } catch (InterruptedException e) {
                check(done, "interrupted by no thread");
            }
        }

        private void post() throws InterruptedException {
            int number = schedule.between(1, 5);
            cq.reqNotify(false); // for the thread that gets events, which has armed nothing yet
            for (int i = 1; i <= number; i++) {
                source.complete(i);
                awaitPolled(i);
            }
            done = true;
            waiting.forEach(Thread::interrupt);
        }

        /** Time passes when no thread can go on, and sometimes earlier. */
        private void awaitPolled(int number) throws InterruptedException {
            WorkCompletions none = WorkCompletions.allocate(1);
            for (int looks = 0; polled() < number; looks++) {
                check(looks < LOOKS, "no thread polls completion " + number);
                silent.await(none, 1, schedule.timeout());
            }
        }

        private long polled() {
            return context.stats().cqs().stream()
                    .filter(of -> of.cq().equals(cq.toString()))
                    .mapToLong(CqStats::completions)
                    .sum();
        }
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final CompletionQueue cq;
        private final CompletionQueue silent;
        private final Source source;
        private final Source lone;
        private final List<Thread> takers = new ArrayList<>();
        private final BitSet taken = new BitSet();

        Play(Schedule schedule) {
            this.schedule = schedule;
            cq = context.createDirectCq(16, strategy());
            silent = context.createDirectCq(4, strategy());
            lone = new Source(pd, silent);
            source = new Source(pd, cq);
        }

        void run() {
            int patient = 0;
            for (int i = schedule.between(1, 3); i > 0; i--) {
                int times = schedule.between(1, 3);
                patient += times;
                schedule.thread("taker " + i, () -> take(times));
            }
            Thread lonely = schedule.thread("lonely taker", this::takeOneAndWait);
            schedule.thread("poster", () -> lone.complete(0));
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
            source.close();
            lone.close();
            cq.close();
            silent.close();
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
                source.complete(i);
            }
        }
    }
}
