package io.loomverbs.internal.event;

import static io.loomverbs.internal.event.Carriers.Loan.COMING;
import static io.loomverbs.internal.event.Carriers.Loan.REFUSED;
import static io.loomverbs.internal.event.Carriers.Loan.SERVING;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A carrier more while a thread blocks, and for a moment longer. */
@Timeout(60)
class SchedulerCarriersTest {
    private static final Duration KEPT = Duration.ofMillis(30);
    private static final Duration A_MINUTE = Duration.ofMinutes(1);
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private static final class Fake implements SchedulerCarriers.Scheduler {
        private volatile int parallelism = 2;
        private volatile int changes;
        private volatile boolean limited;
        private volatile boolean startsNoThread;
        private volatile boolean queued;
        private volatile int mounted;
        private volatile boolean starves;

        @Override
        public int parallelism() {
            return parallelism;
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
        public void parallelism(int n) {
            changes++;
            if (limited) {
                throw new IllegalArgumentException("at the limit");
            }
            boolean raised = n > parallelism;
            parallelism = n;
            if (startsNoThread && raised) {
                throw new OutOfMemoryError("planted");
            }
        }

        @Override
        public boolean hasQueued() {
            return queued;
        }

        @Override
        public int mounted() {
            return mounted;
        }

        @Override
        public Thread start() {
            return Thread.startVirtualThread(
                    () -> {
                        while (starves) {
                            LockSupport.parkNanos(1_000_000);
                        }
                    });
        }
    }

    private final Fake scheduler = new Fake();
    private final SchedulerCarriers carriers = new SchedulerCarriers(scheduler, KEPT);

    private final Woken source = new Woken();

    private static final class Woken implements EventSource {
        private final AtomicInteger wakes = new AtomicInteger();

        @Override
        public int await(long nanos, Leader leader) {
            throw new AssertionError("nobody waits here");
        }

        @Override
        public void wake() {
            wakes.incrementAndGet();
        }
    }

    @AfterEach
    void endThreads() {
        scheduler.starves = false;
        ready = true;
        done = true;
    }

    private static void await(BooleanSupplier what) throws InterruptedException {
        long start = System.nanoTime();
        while (!what.getAsBoolean()) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_NANOS);
            Thread.sleep(1);
        }
    }

    private void awaitParallelism(int n) throws InterruptedException {
        await(() -> scheduler.parallelism == n);
    }

    private static void sleepLongerThanKept() throws InterruptedException {
        Thread.sleep(KEPT.multipliedBy(4));
    }

    @Test
    void eachLoanCountsOnce() throws Exception {
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(scheduler.parallelism).isEqualTo(4);
        carriers.giveBack(source);
        awaitParallelism(3);
        carriers.giveBack(source);
        awaitParallelism(2);
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(scheduler.parallelism).isEqualTo(3);
        carriers.giveBack(source);
        awaitParallelism(2);
    }

    /** What is used again and again is raised once. */
    @Test
    void whatIsGivenBackIsKeptForTheNext() throws Exception {
        SchedulerCarriers longer = new SchedulerCarriers(scheduler, Duration.ofMillis(300));
        long start = System.nanoTime();
        assertThat(longer.borrow(source)).isEqualTo(COMING);
        while (System.nanoTime() - start < 1_000_000_000L) {
            longer.giveBack(source);
            assertThat(longer.borrow(source)).isNotEqualTo(REFUSED);
            Thread.sleep(1);
        }
        assertThat(scheduler.changes).isEqualTo(1);
        longer.giveBack(source);
        awaitParallelism(2);
    }

    /** Who gets a carrier that was seen to serve need not look; who gets a new one has to. */
    @Test
    void whatServesServesTheNextToo() {
        SchedulerCarriers carriers = new SchedulerCarriers(scheduler, A_MINUTE);
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        carriers.giveBack(source);
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(carriers.ask()).isEqualTo(SERVING);
        carriers.giveBack(source);
        assertThat(carriers.borrow(source)).isEqualTo(SERVING);
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        carriers.giveBack(source);
        assertThat(carriers.borrow(source)).as("nobody has seen the second").isEqualTo(COMING);
    }

    /**
     * Without a watcher what is given back is lowered at once, and then no watcher lowers it again.
     */
    @Test
    void whatWasLoweredIsNotLoweredAgain() throws Exception {
        Set<Thread> others = Thread.getAllStackTraces().keySet();
        do { // until one look, and no second, has seen two to spare
            carriers.borrow(source);
            carriers.borrow(source);
            carriers.giveBack(source);
            carriers.giveBack(source);
            Thread.sleep(KEPT.multipliedBy(3).dividedBy(2));
        } while (scheduler.parallelism != 4);
        carriers.borrow(source);
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("loomverbs-carriers") && !others.contains(thread)) {
                thread.interrupt();
                assertThat(thread.join(Duration.ofNanos(PATIENCE_NANOS))).isTrue();
            }
        }
        carriers.giveBack(source);
        assertThat(scheduler.parallelism).isEqualTo(2);
        carriers.borrow(source);
        int changes = scheduler.changes;
        sleepLongerThanKept();
        assertThat(scheduler.changes).isEqualTo(changes);
        assertThat(scheduler.parallelism).isEqualTo(3);
    }

    /** Whatever the application sets stays as it has set it. */
    @Test
    void somebodyElsesChangeIsLeftAlone() throws Exception {
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        scheduler.parallelism = 8;
        carriers.giveBack(source);
        sleepLongerThanKept();
        assertThat(scheduler.parallelism).isEqualTo(8);
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(scheduler.parallelism).isEqualTo(9);
        carriers.giveBack(source);
        awaitParallelism(8);
    }

    @Test
    void somebodyElsesChangeIsSeenByTheNextLoan() throws Exception {
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(carriers.ask()).isEqualTo(SERVING);
        scheduler.parallelism = 1;
        await(() -> source.wakes.get() > 0);
        assertThat(carriers.ask()).as("it was taken away").isEqualTo(REFUSED);
        assertThat(carriers.borrow(source)).isEqualTo(REFUSED);
        carriers.giveBack(source);
        sleepLongerThanKept();
        assertThat(scheduler.parallelism).isEqualTo(1);
    }

    /** While nothing is lent the application may set what it likes. */
    @Test
    void aChangeBetweenLoansIsTheNewStart() throws Exception {
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        carriers.giveBack(source);
        scheduler.parallelism = 5;
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(scheduler.parallelism).isEqualTo(6);
        carriers.giveBack(source);
        awaitParallelism(5);
    }

    @Test
    void aRefusalIsForGood() {
        scheduler.limited = true;
        assertThat(carriers.borrow(source)).isEqualTo(REFUSED);
        scheduler.limited = false;
        assertThat(carriers.borrow(source)).isEqualTo(REFUSED);
        assertThat(new SchedulerCarriers(null, KEPT).borrow(source)).isEqualTo(REFUSED);
    }

    /** The JDK raises first, and then tries to start a carrier. */
    @Test
    void aLoanThatFailsLeavesNothingRaised() {
        scheduler.startsNoThread = true;
        assertThatThrownBy(() -> carriers.borrow(source)).isInstanceOf(OutOfMemoryError.class);
        assertThat(scheduler.parallelism).isEqualTo(2);
        scheduler.startsNoThread = false;
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(scheduler.parallelism).isEqualTo(3);
    }

    /** Two carriers and one on loan, of which one is idle while somebody waits for one. */
    @Test
    void nobodyBlocksWhileACarrierIsIdleAndSomebodyWaitsForOne() {
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(carriers.ask()).isEqualTo(SERVING);
        scheduler.queued = true;
        scheduler.mounted = 2;
        assertThat(carriers.ask()).isEqualTo(COMING);
        scheduler.mounted = 3;
        assertThat(carriers.ask()).isEqualTo(SERVING);
        scheduler.mounted = 2;
        scheduler.queued = false;
        assertThat(carriers.ask()).isEqualTo(SERVING);
    }

    /** While somebody is in the kernel, and then not any more. */
    @Test
    void whoBlocksIsWokenWhenACarrierIsMissed() throws Exception {
        Woken other = new Woken();
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        assertThat(carriers.borrow(other)).isEqualTo(COMING);
        assertThat(carriers.ask()).isEqualTo(SERVING);
        scheduler.mounted = 2;
        scheduler.queued = true;
        sleepLongerThanKept();
        assertThat(source.wakes).as("others arrive").hasValue(0);
        scheduler.starves = true;
        await(() -> source.wakes.get() > 2 && other.wakes.get() > 2);
        scheduler.queued = false;
        carriers.giveBack(other);
        assertThat(carriers.borrow(other)).as("it was seen not to serve").isEqualTo(COMING);
        carriers.giveBack(source);
        int before = source.wakes.get();
        int others = other.wakes.get();
        await(() -> other.wakes.get() > others + 2);
        assertThat(source.wakes).hasValue(before);
        scheduler.starves = false;
        carriers.giveBack(other);
        awaitParallelism(2);
    }

    /** What is used all the time keeps nothing else raised. */
    @Test
    void whatIsLeftOfManyLoansIsLoweredBesideOne() throws Exception {
        for (int i = 0; i < 5; i++) {
            assertThat(carriers.borrow(source)).isEqualTo(COMING);
        }
        for (int i = 0; i < 4; i++) {
            carriers.giveBack(source);
        }
        long start = System.nanoTime();
        while (scheduler.parallelism != 3) {
            carriers.giveBack(source);
            assertThat(carriers.borrow(source)).isNotEqualTo(REFUSED);
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_NANOS);
            Thread.sleep(1);
        }
        carriers.giveBack(source);
        awaitParallelism(2);
    }

    /** Who gives back goes on; the limit may have changed meanwhile. */
    @Test
    void aRefusedReturnThrowsNothing() throws Exception {
        assertThat(carriers.borrow(source)).isEqualTo(COMING);
        scheduler.limited = true;
        carriers.giveBack(source);
        await(() -> scheduler.changes == 2);
        assertThat(carriers.borrow(source)).isEqualTo(REFUSED);
    }

    /** The JDK's scheduler: blocked carriers are made up for, and nothing stays raised. */
    @Test
    void theJdksSchedulerRunsOthersMeanwhile() throws Exception {
        blockFourAndRunAnother();
    }

    private void blockFourAndRunAnother() throws Exception {
        SchedulerCarriers.Scheduler jdk = SchedulerCarriers.Scheduler.find();
        assertThat(jdk).isNotNull();
        int before = untouched(jdk);
        Carriers ofJdk = SchedulerCarriers.get();
        int blockers = 4;
        CountDownLatch blocked = new CountDownLatch(blockers);
        CountDownLatch over = new CountDownLatch(blockers);
        done = false;
        for (int i = 0; i < blockers; i++) {
            Thread.ofVirtual()
                    .start(
                            () -> {
                                borrowToBlock(ofJdk, source);
                                blocked.countDown();
                                while (!done) { // holds its carrier
                                    Thread.onSpinWait();
                                }
                                ofJdk.giveBack(source);
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
        SchedulerCarriers.Scheduler jdk = SchedulerCarriers.Scheduler.find();
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
        Carriers ofJdk = SchedulerCarriers.get();
        threads.add(
                Thread.startVirtualThread(
                        () -> {
                            held.countDown();
                            while (!ready) {
                                Thread.onSpinWait();
                            }
                            LockSupport.unpark(inTheQueue);
                            borrowToBlock(ofJdk, source);
                            while (!done) { // holds its carrier, as a wait in the kernel does
                                Thread.onSpinWait();
                            }
                            ofJdk.giveBack(source);
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
    private static void borrowToBlock(Carriers carriers, EventSource source) {
        assertThat(carriers.borrow(source)).isNotEqualTo(REFUSED);
        while (carriers.ask() != SERVING) {
            Thread.yield();
        }
    }

    /** The parallelism once other tests have given back what they had. */
    private static int untouched(SchedulerCarriers.Scheduler jdk) throws InterruptedException {
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
