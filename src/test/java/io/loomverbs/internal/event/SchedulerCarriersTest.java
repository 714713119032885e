package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A carrier more while a thread blocks, and not a moment longer. */
@Timeout(60)
class SchedulerCarriersTest {
    private static final class Fake implements SchedulerCarriers.Scheduler {
        private int parallelism = 2;
        private boolean limited;
        private boolean queued;
        private int mounted;

        @Override
        public int parallelism() {
            return parallelism;
        }

        @Override
        public void parallelism(int n) {
            if (limited) {
                throw new IllegalArgumentException("at the limit");
            }
            parallelism = n;
        }

        @Override
        public boolean hasQueued() {
            return queued;
        }

        @Override
        public int mounted() {
            return mounted;
        }
    }

    private final Fake scheduler = new Fake();
    private final SchedulerCarriers carriers = new SchedulerCarriers(scheduler);

    @Test
    void eachLoanCountsOnce() {
        assertThat(carriers.borrow()).isTrue();
        assertThat(carriers.borrow()).isTrue();
        assertThat(scheduler.parallelism).isEqualTo(4);
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(3);
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(2);
        assertThat(carriers.borrow()).isTrue();
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    /** Whatever the application sets stays as it has set it. */
    @Test
    void somebodyElsesChangeIsLeftAlone() {
        assertThat(carriers.borrow()).isTrue();
        scheduler.parallelism = 8;
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(8);
        assertThat(carriers.borrow()).isFalse();
        assertThat(scheduler.parallelism).isEqualTo(8);
    }

    @Test
    void somebodyElsesChangeIsSeenByTheNextLoan() {
        assertThat(carriers.borrow()).isTrue();
        scheduler.parallelism = 1;
        assertThat(carriers.borrow()).isFalse();
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(1);
    }

    /** While nothing is lent the application may set what it likes. */
    @Test
    void aChangeBetweenLoansIsTheNewStart() {
        assertThat(carriers.borrow()).isTrue();
        carriers.giveBack();
        scheduler.parallelism = 5;
        assertThat(carriers.borrow()).isTrue();
        assertThat(scheduler.parallelism).isEqualTo(6);
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(5);
    }

    @Test
    void aRefusalIsForGood() {
        scheduler.limited = true;
        assertThat(carriers.borrow()).isFalse();
        scheduler.limited = false;
        assertThat(carriers.borrow()).isFalse();
        assertThat(new SchedulerCarriers(null).borrow()).isFalse();
    }

    /** Two carriers and one on loan, of which one is idle while somebody waits for one. */
    @Test
    void nobodyBlocksWhileACarrierIsIdleAndSomebodyWaitsForOne() {
        assertThat(carriers.borrow()).isTrue();
        assertThat(carriers.mayBlock()).isTrue();
        scheduler.queued = true;
        scheduler.mounted = 2;
        assertThat(carriers.mayBlock()).isFalse();
        scheduler.mounted = 3;
        assertThat(carriers.mayBlock()).isTrue();
        scheduler.mounted = 2;
        scheduler.queued = false;
        assertThat(carriers.mayBlock()).isTrue();
    }

    /** Who gives back goes on; the limit may have changed meanwhile. */
    @Test
    void aRefusedReturnThrowsNothing() {
        assertThat(carriers.borrow()).isTrue();
        scheduler.limited = true;
        carriers.giveBack();
        assertThat(carriers.borrow()).isFalse();
    }

    /** The JDK's scheduler: blocked carriers are made up for, and nothing stays raised. */
    @Test
    void theJdksSchedulerRunsOthersMeanwhile() throws Exception {
        blockFourAndRunAnother();
    }

    private void blockFourAndRunAnother() throws Exception {
        SchedulerCarriers.Scheduler jdk = SchedulerCarriers.Scheduler.find();
        assertThat(jdk).isNotNull();
        int before = jdk.parallelism();
        Carriers ofJdk = SchedulerCarriers.get();
        int blockers = 4;
        CountDownLatch blocked = new CountDownLatch(blockers);
        CountDownLatch over = new CountDownLatch(blockers);
        done = false;
        for (int i = 0; i < blockers; i++) {
            Thread.ofVirtual()
                    .start(
                            () -> {
                                borrowToBlock(ofJdk);
                                blocked.countDown();
                                while (!done) { // holds its carrier
                                    Thread.onSpinWait();
                                }
                                ofJdk.giveBack();
                                over.countDown();
                            });
        }
        assertThat(blocked.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(jdk.parallelism()).isEqualTo(before + blockers);
        CountDownLatch ran = new CountDownLatch(1);
        Thread.ofVirtual().start(ran::countDown);
        assertThat(ran.await(20, TimeUnit.SECONDS)).isTrue();
        done = true;
        assertThat(over.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(jdk.parallelism()).isEqualTo(before);
    }

    /**
     * Carriers that are idle when the loan begins, a virtual thread that was made ready before,
     * from outside, and another one that is behind the borrower in its own carrier's queue.
     */
    @Test
    void whoWasReadyBeforeTheLoanRuns() throws Exception {
        blockFourAndRunAnother(); // there are more carriers now than are needed
        SchedulerCarriers.Scheduler jdk = SchedulerCarriers.Scheduler.find();
        assertThat(jdk).isNotNull();
        int others = jdk.parallelism() - 1;
        done = false;
        ready = false;
        List<Thread> threads = new ArrayList<>();
        CountDownLatch held = new CountDownLatch(others + 1);
        for (int i = 0; i < others; i++) {
            threads.add(
                    Thread.startVirtualThread(
                            () -> {
                                held.countDown();
                                while (!done) { // holds its carrier
                                    Thread.onSpinWait();
                                }
                            }));
        }
        CountDownLatch ran = new CountDownLatch(1);
        Thread outside = Thread.ofVirtual().unstarted(ran::countDown);
        CountDownLatch behind = new CountDownLatch(1);
        Thread inTheQueue =
                Thread.startVirtualThread(
                        () -> {
                            LockSupport.park();
                            behind.countDown();
                        });
        awaitState(inTheQueue, Thread.State.WAITING);
        Carriers ofJdk = SchedulerCarriers.get();
        threads.add(
                Thread.startVirtualThread(
                        () -> {
                            held.countDown();
                            while (!ready) {
                                Thread.onSpinWait();
                            }
                            LockSupport.unpark(inTheQueue);
                            borrowToBlock(ofJdk);
                            while (!done) { // holds its carrier, as a wait in the kernel does
                                Thread.onSpinWait();
                            }
                            ofJdk.giveBack();
                        }));
        assertThat(held.await(20, TimeUnit.SECONDS)).isTrue();
        outside.start();
        ready = true;
        try {
            assertThat(behind.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(ran.await(20, TimeUnit.SECONDS)).isTrue();
        } finally {
            done = true;
        }
        for (Thread thread : threads) {
            assertThat(thread.join(Duration.ofSeconds(20))).isTrue();
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // as a leader does
    private static void borrowToBlock(Carriers carriers) {
        assertThat(carriers.borrow()).isTrue();
        while (!carriers.mayBlock()) {
            Thread.yield();
        }
    }

    private static void awaitState(Thread thread, Thread.State state) throws InterruptedException {
        for (int i = 0; i < 20_000 && thread.getState() != state; i++) {
            Thread.sleep(1);
        }
        assertThat(thread.getState()).isEqualTo(state);
    }

    private volatile boolean done;
    private volatile boolean ready;
}
