package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Leaders that are in the kernel come back when others miss their carriers. */
@Timeout(60)
class CarrierWatchTest {
    private static final Duration EVERY = Duration.ofMillis(5);
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private final Set<Thread> others = Thread.getAllStackTraces().keySet();
    private final FakeScheduler scheduler = new FakeScheduler();
    private final RaisedParallelism raised = new RaisedParallelism(scheduler, scheduler.property);
    private final CarrierWatch watch = new CarrierWatch(scheduler, EVERY);
    private final SchedulerCarriers carriers = new SchedulerCarriers(scheduler, raised, watch);
    private final Leader leader = new Leader();

    private static final class Leader implements Carriers.Borrower {
        final AtomicInteger wakes = new AtomicInteger();
        volatile boolean blocking = true;

        @Override
        public boolean isBlocking() {
            return blocking;
        }

        @Override
        public void askAgain() {
            wakes.incrementAndGet();
        }
    }

    @AfterEach
    void giveBack() throws InterruptedException {
        scheduler.starves = false;
        carriers.giveBack();
        await(() -> !watch.isOn() && threads() == 0);
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    private static void await(BooleanSupplier what) throws InterruptedException {
        long start = System.nanoTime();
        while (!what.getAsBoolean()) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_NANOS);
            Thread.sleep(1);
        }
    }

    private long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("loomverbs-carriers"))
                .filter(thread -> !others.contains(thread))
                .count();
    }

    /** One lock after the other, never both ways round. */
    @Test
    void leadersThatAskAndTheWatchDoNotWaitForEachOther() throws Exception {
        lead();
        scheduler.starves = true;
        scheduler.queued = true;
        scheduler.mounted = 2;
        await(() -> leader.wakes.get() > 0);
        Thread asking =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    while (leader.wakes.get() < 100) {
                                        carriers.ask(leader);
                                    }
                                });
        assertThat(asking.join(Duration.ofNanos(PATIENCE_NANOS))).isTrue();
    }

    /** All but the first begin, and all but the last end, after the call. */
    private void someLooks() throws InterruptedException {
        int last = scheduler.looks.get() + 10;
        await(() -> scheduler.looks.get() >= last);
    }

    private void lead() {
        while (carriers.ask(leader) != Carriers.Loan.SERVING) {
            Thread.onSpinWait();
        }
    }

    @Test
    void aLeaderIsWokenWhileACarrierIsMissed() throws Exception {
        Leader second = new Leader();
        SchedulerCarriers others = new SchedulerCarriers(scheduler, raised, watch);
        lead();
        assertThat(others.ask(second)).isEqualTo(Carriers.Loan.COMING);
        scheduler.mounted = 2;
        scheduler.queued = true;
        someLooks();
        assertThat(leader.wakes).as("others arrive").hasValue(0);
        scheduler.starves = true;
        await(() -> leader.wakes.get() > 2 && second.wakes.get() > 2);
        assertThat(carriers.ask(leader)).as("it does not serve").isEqualTo(Carriers.Loan.COMING);
        others.giveBack();
        int before = second.wakes.get();
        int more = leader.wakes.get() + 2;
        await(() -> leader.wakes.get() > more);
        assertThat(second.wakes).as("it leads no more").hasValue(before);
    }

    /** The next leader that asks has it started. */
    @Test
    void aThreadThatCannotBeStartedIsTriedAgain() throws Exception {
        AtomicInteger failures = new AtomicInteger();
        CarrierWatch late =
                new CarrierWatch(
                        scheduler,
                        EVERY,
                        (name, task) -> {
                            if (failures.incrementAndGet() == 1) {
                                throw new OutOfMemoryError("planted");
                            }
                            return HelperThreads.unstarted(name, task);
                        });
        SchedulerCarriers others = new SchedulerCarriers(scheduler, raised, late);
        assertThat(others.ask(leader)).isEqualTo(Carriers.Loan.COMING);
        assertThat(late.isOn()).isFalse();
        others.ask(leader);
        assertThat(late.isOn()).isTrue();
        assertThat(failures).hasValue(2);
        others.giveBack();
        await(() -> !late.isOn());
    }

    /** Where all carriers are busy a thread that is started does not come to run either. */
    @Test
    void aLeaderStaysWhileAllCarriersAreBusy() throws Exception {
        lead();
        scheduler.starves = true;
        scheduler.queued = true;
        scheduler.mounted = 2;
        await(() -> leader.wakes.get() > 0);
        scheduler.mounted = 3;
        someLooks();
        int before = leader.wakes.get();
        someLooks();
        assertThat(leader.wakes).hasValue(before);
        scheduler.mounted = 2;
        await(() -> leader.wakes.get() > before);
    }

    @Test
    void aLeaderIsWokenWhenTheParallelismIsNotItsOwn() throws Exception {
        lead();
        scheduler.parallelism = 1;
        await(() -> leader.wakes.get() > 2);
        assertThat(carriers.ask(leader)).isEqualTo(Carriers.Loan.REFUSED);
        scheduler.parallelism = 3;
    }

    /** A leader that comes then has another one started. */
    @Test
    void theThreadEndsWhenNobodyLeads() throws Exception {
        lead();
        assertThat(threads()).isEqualTo(1);
        leader.blocking = false;
        await(() -> threads() == 0);
        assertThat(watch.isOn()).isFalse();
        leader.blocking = true;
        assertThat(carriers.ask(leader)).isEqualTo(Carriers.Loan.SERVING);
        assertThat(watch.isOn()).isTrue();
        someLooks();
        someLooks();
        assertThat(threads()).as("while a thread leads").isEqualTo(1);
    }

    /** Waits then need no look at the clock of their own. */
    @Test
    void itTellsTheTimeUntilItEnds() throws Exception {
        lead();
        await(() -> isTold());
        long told = CoarseClock.nanoTime();
        assertThat(told).isLessThanOrEqualTo(System.nanoTime());
        await(() -> CoarseClock.nanoTime() - told > EVERY.toNanos());
        carriers.giveBack();
        await(() -> isExact());
    }

    private static boolean isTold() {
        long first = CoarseClock.nanoTime();
        return CoarseClock.nanoTime() == first;
    }

    private static boolean isExact() {
        long before = System.nanoTime();
        return CoarseClock.nanoTime() >= before;
    }

    @Test
    void itsThreadRefersToNothingOfTheCaller() throws Exception {
        Thread me = Thread.currentThread();
        ClassLoader before = me.getContextClassLoader();
        me.setContextClassLoader(new ClassLoader() {});
        try {
            lead();
        } finally {
            me.setContextClassLoader(before);
        }
        Thread thread =
                Thread.getAllStackTraces().keySet().stream()
                        .filter(t -> t.getName().equals("loomverbs-carriers"))
                        .filter(t -> !others.contains(t))
                        .findFirst()
                        .orElseThrow();
        assertThat(thread.getContextClassLoader()).isNull();
        assertThat(thread.isDaemon()).isTrue();
    }
}
