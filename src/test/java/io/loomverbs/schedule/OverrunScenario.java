package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.soft.FreshDevice;

/**
 * More completions than a CQ can hold. A waiter gets the completions that fit, then the error, and
 * the context tells of it, once for the CQ and once for its queue pair. If the waiters are there
 * from the start, they may be quick enough to prevent it; then everything is closed under them.
 */
final class OverrunScenario implements Scenario {
    private static final int QKEY = 1;

    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final CompletionQueue cq = context.createDirectCq(1);
        private final QueuePair qp = pd.createQp(QpConfig.of(QpType.UD, cq));
        private final AddressHandle self = pd.createAh(AhAttributes.of(context.gid(1, 0), 0));
        private final boolean early;
        private int posted;
        private int completed;
        private boolean ofCq;
        private boolean ofQp;

        Play(Schedule schedule) {
            this.schedule = schedule;
            early = schedule.oneIn(2);
            qp.activate(QKEY);
        }

        void run() {
            int waiters = schedule.between(1, 2);
            schedule.thread("watcher", this::watch);
            schedule.thread("waiter for an event", this::waitForAnEvent);
            if (early) {
                startWaiters(waiters);
            }
            schedule.thread(
                    "poster",
                    () -> {
                        post(schedule.between(2, 4));
                        if (early) {
                            close();
                        } else {
                            startWaiters(waiters);
                        }
                    });
            schedule.run();
            check(completed <= posted, completed + " completions of " + posted + " requests");
            if (!early) {
                check(completed == 1, completed + " completions of a CQ that holds one");
                close();
            }
        }

        private void startWaiters(int waiters) {
            for (int i = 0; i < waiters; i++) {
                schedule.thread("waiter", this::awaitUntilItFails);
            }
        }

        private void close() {
            qp.close();
            cq.close();
            self.close();
            pd.close();
            context.close();
        }

        private void post(int n) {
            for (int i = 0; i < n; i++) {
                posted++;
                qp.postSend(
                        SendWorkRequest.allocate(1, 0)
                                .send()
                                .to(self, qp.qpNum(), QKEY)
                                .signaled());
            }
        }

        /** The CQ is not armed: nothing but the error or a close can end this. */
        private void waitForAnEvent() throws InterruptedException {
            try (CqEvent event = cq.getCqEvent()) {
                check(early && event.cq() == cq, "an event of a CQ that no thread armed");
            } catch (ClosedException e) {
                check(early, "closed by no thread");
            } catch (VerbsException e) {
                check(e.errnoName().equals("EIO"), e.toString());
            }
        }

        private void awaitUntilItFails() throws InterruptedException {
            WorkCompletions batch = WorkCompletions.allocate(1);
            try {
                for (; ; ) {
                    completed += cq.await(batch);
                }
            } catch (ClosedException e) {
                check(early, "closed by no thread");
            } catch (VerbsException e) {
                check(e.errnoName().equals("EIO"), e.toString());
            }
        }

        private void watch() throws InterruptedException {
            try {
                while (!ofCq || !ofQp) {
                    try (AsyncEvent event = context.getAsyncEvent()) {
                        tell(event);
                    }
                }
            } catch (ClosedException e) {
                check(early, "closed by no thread");
            }
        }

        private void tell(AsyncEvent event) {
            if (event.type() == AsyncEventType.CQ_ERR) {
                check(!ofCq && event.cq() == cq, "told twice of " + event);
                ofCq = true;
            } else {
                check(event.type() == AsyncEventType.QP_FATAL, event.toString());
                check(!ofQp && event.qp() == qp, "told twice of " + event);
                ofQp = true;
            }
        }
    }
}
