package io.loomverbs.internal.event;

import static io.loomverbs.internal.event.Carriers.Loan.COMING;
import static io.loomverbs.internal.event.Carriers.Loan.REFUSED;
import static io.loomverbs.internal.event.Carriers.Loan.SERVING;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** A carrier more for each poller at which a virtual thread leads. */
@Timeout(60)
class SchedulerCarriersTest {
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private final FakeScheduler scheduler = new FakeScheduler();
    private final Leader leader = new Leader();
    private final CarrierWatch watch = new CarrierWatch(scheduler, CarrierWatch.EVERY);
    private final SchedulerCarriers carriers = ofOnePoller();

    private static final class Leader implements Carriers.Borrower {
        @Override
        public boolean isBlocking() {
            return true;
        }

        @Override
        public void askAgain() {
            // It does so all the time.
        }
    }

    private SchedulerCarriers ofOnePoller() {
        return new SchedulerCarriers(
                scheduler, new RaisedParallelism(scheduler, scheduler.property), watch);
    }

    @AfterEach
    void endThreads() {
        ready = true;
        done = true;
        carriers.giveBack();
        assertThat(System.clearProperty(scheduler.property)).isNull();
    }

    private static void await(BooleanSupplier what) throws InterruptedException {
        long start = System.nanoTime();
        while (!what.getAsBoolean()) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_NANOS);
            Thread.sleep(1);
        }
    }

    /** Nothing else would take it back: it is the JVM's, and this poller has ended. */
    @Test
    void oneIsGivenBackThoughThereIsNoMemoryForAMoment() {
        assertThat(carriers.ask(leader)).isEqualTo(COMING);
        scheduler.looksWithoutMemory = 3;
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    @Test
    void eachPollerHasOneUntilItEnds() {
        SchedulerCarriers others = ofOnePoller();
        assertThat(carriers.ask(leader)).isEqualTo(COMING);
        assertThat(carriers.ask(leader)).isEqualTo(SERVING);
        assertThat(others.ask(leader)).as("no thread has seen the second").isEqualTo(COMING);
        assertThat(scheduler.parallelism).isEqualTo(4);
        assertThat(carriers.ask(leader)).isEqualTo(SERVING);
        assertThat(scheduler.changes).isEqualTo(2);
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(3);
        assertThat(others.ask(leader)).isEqualTo(SERVING);
        others.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    /** A leader may come late. */
    @Test
    void afterItsEndNothingIsTaken() {
        assertThat(carriers.ask(leader)).isEqualTo(COMING);
        carriers.giveBack();
        assertThat(carriers.ask(leader)).isEqualTo(REFUSED);
        carriers.giveBack();
        assertThat(scheduler.changes).isEqualTo(2);
        SchedulerCarriers unused = ofOnePoller();
        unused.giveBack();
        assertThat(unused.ask(leader)).isEqualTo(REFUSED);
        assertThat(scheduler.changes).isEqualTo(2);
    }

    /** Whatever the application sets stays as it has set it. */
    @Test
    void somebodyElsesChangeIsLeftAlone() {
        assertThat(carriers.ask(leader)).isEqualTo(COMING);
        scheduler.parallelism = 8;
        assertThat(carriers.ask(leader)).as("it is not its own any more").isEqualTo(REFUSED);
        scheduler.parallelism = 3;
        assertThat(carriers.ask(leader)).as("a thread leads already").isEqualTo(REFUSED);
        scheduler.parallelism = 8;
        SchedulerCarriers others = ofOnePoller();
        assertThat(others.ask(leader)).isEqualTo(REFUSED);
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(8);
        assertThat(others.ask(leader)).as("from there").isEqualTo(COMING);
        assertThat(scheduler.parallelism).isEqualTo(9);
        others.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(8);
    }

    /** What could not be had once may be had later. */
    @Test
    void aLimitIsNotForGood() {
        scheduler.limited = true;
        assertThat(carriers.ask(leader)).isEqualTo(REFUSED);
        scheduler.limited = false;
        scheduler.startsNoThread = true;
        assertThat(carriers.ask(leader)).isEqualTo(REFUSED);
        assertThat(scheduler.parallelism).isEqualTo(2);
        scheduler.startsNoThread = false;
        assertThat(carriers.ask(leader)).isEqualTo(COMING);
        assertThat(scheduler.parallelism).isEqualTo(3);
    }

    /** A handler of the log may do anything, such as wait for a device. */
    @Test
    void aRefusalIsLoggedWithoutALock() throws Exception {
        new SchedulerCarriers(null, null, null).ask(leader); // says something else
        List<Boolean> others = new ArrayList<>();
        Handler handler =
                new Handler() {
                    @Override
                    public void publish(LogRecord message) {
                        Thread other = Thread.ofVirtual().start(() -> carriers.ask(leader));
                        try {
                            others.add(other.join(Duration.ofSeconds(5)));
                        } catch (InterruptedException e) {
                            others.add(false);
                        }
                    }

                    @Override
                    public void flush() {
                        // there is nothing to flush
                    }

                    @Override
                    public void close() {
                        // there is nothing to close
                    }
                };
        Logger logger = Logger.getLogger("io.loomverbs");
        logger.addHandler(handler);
        try {
            scheduler.limited = true;
            assertThat(carriers.ask(leader)).isEqualTo(REFUSED);
        } finally {
            logger.removeHandler(handler);
        }
        assertThat(others).as("whether another thread can ask").containsExactly(true);
    }

    @Test
    void withoutTheModuleThereIsNone() {
        SchedulerCarriers none = new SchedulerCarriers(null, null, null);
        assertThat(none.ask(leader)).isEqualTo(REFUSED);
        none.giveBack();
    }

    /** Two carriers and one on loan, of which one is idle while a thread waits for one. */
    @Test
    void nobodyBlocksWhileACarrierIsIdleAndAThreadWaitsForOne() {
        assertThat(carriers.ask(leader)).isEqualTo(COMING);
        scheduler.queued = true;
        scheduler.mounted = 2;
        assertThat(carriers.ask(leader)).isEqualTo(COMING);
        scheduler.mounted = 3;
        assertThat(carriers.ask(leader)).isEqualTo(SERVING);
        carriers.doubt();
        scheduler.mounted = 2;
        assertThat(carriers.ask(leader)).isEqualTo(COMING);
        scheduler.queued = false;
        assertThat(carriers.ask(leader)).isEqualTo(SERVING);
    }

    /** The JDK's scheduler: blocked carriers are made up for, and nothing stays raised. */
    @Test
    void theJdksSchedulerRunsOthersMeanwhile() throws Exception {
        blockFourAndRunAnother();
    }

    private void blockFourAndRunAnother() throws Exception {
        Scheduler jdk = Scheduler.find();
        assertThat(jdk).isNotNull();
        int before = untouched(jdk);
        int blockers = 4;
        CountDownLatch blocked = new CountDownLatch(blockers);
        CountDownLatch over = new CountDownLatch(blockers);
        done = false;
        for (int i = 0; i < blockers; i++) {
            Thread.ofVirtual()
                    .start(
                            () -> {
                                Carriers ofJdk = new SchedulerCarriers();
                                askToBlock(ofJdk);
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
        await(() -> jdk.parallelism() == before);
    }

    /**
     * Carriers that are idle when the loan begins, a virtual thread that was made ready before,
     * from outside, and another one that is behind the borrower in its own carrier's queue.
     */
    @Test
    void whoWasReadyBeforeTheLoanRuns() throws Exception {
        blockFourAndRunAnother(); // there are more carriers now than are needed
        Scheduler jdk = Scheduler.find();
        assertThat(jdk).isNotNull();
        int others = untouched(jdk) - 1;
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
        Carriers ofJdk = new SchedulerCarriers();
        threads.add(
                Thread.startVirtualThread(
                        () -> {
                            held.countDown();
                            while (!ready) {
                                Thread.onSpinWait();
                            }
                            LockSupport.unpark(inTheQueue);
                            askToBlock(ofJdk);
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
    private void askToBlock(Carriers carriers) {
        Carriers.Loan loan;
        while ((loan = carriers.ask(leader)) != SERVING) {
            assertThat(loan).isEqualTo(COMING);
            Thread.yield();
        }
    }

    /** The parallelism once other tests have given back what they had. */
    private static int untouched(Scheduler jdk) throws InterruptedException {
        int before;
        do {
            before = jdk.parallelism();
            Thread.sleep(500);
        } while (jdk.parallelism() != before);
        return before;
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
