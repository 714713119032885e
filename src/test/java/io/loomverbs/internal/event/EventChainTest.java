package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** A channel wakes its threads in a chain: not one for each event, and yet as many as it takes. */
@Timeout(60)
class EventChainTest {
    private static final long PATIENCE_SECONDS = 20;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    private static final int AT_ONCE = 2;
    private static final int MOST_PASSED = 16;

    private final WakeChain chain = new WakeChain(AT_ONCE);
    private final EventQueue queue = new EventQueue(null, chain);
    private final List<QueuedCq> cqs = new ArrayList<>();
    private final List<FutureTask<QueuedCq>> waiters = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    private QueuedCq cq() {
        QueuedCq cq = new NamedCq(queue, "cq " + cqs.size());
        cqs.add(cq);
        return cq;
    }

    private void startWaiters(int count) {
        for (int i = 0; i < count; i++) {
            FutureTask<QueuedCq> waiter = new FutureTask<>(() -> queue.take(PATIENCE_NANOS));
            waiters.add(waiter);
            threads.add(parked(Thread.ofVirtual().start(waiter)));
        }
    }

    private static Thread parked(Thread thread) {
        long start = System.nanoTime();
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE_NANOS);
            LockSupport.parkNanos(20_000);
        }
        return thread;
    }

    private static QueuedCq result(FutureTask<QueuedCq> waiter) throws Exception {
        return waiter.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    private QueuedCq takenByAVirtualThread() throws Exception {
        FutureTask<QueuedCq> taker = new FutureTask<>(() -> queue.take(PATIENCE_NANOS));
        threads.add(Thread.ofVirtual().start(taker));
        return result(taker);
    }

    private int delivered() {
        return cqs.stream().mapToInt(cq -> cq.outstanding()).sum();
    }

    private static VarHandle field(String name, Class<?> type) throws ReflectiveOperationException {
        return MethodHandles.privateLookupIn(WakeChain.class, MethodHandles.lookup())
                .findVarHandle(WakeChain.class, name, type);
    }

    @AfterEach
    void everybodyEnds() throws Exception {
        queue.end(null);
        for (Thread thread : threads) {
            assertThat(thread.join(Duration.ofSeconds(PATIENCE_SECONDS))).isTrue();
        }
    }

    /** Two threads are woken, however many events come up; those that arrive wake the others. */
    @Test
    void threadsAreWokenInAChain() throws Exception {
        startWaiters(5);
        ReentrantLock lock = queue.lock;
        lock.lock(); // woken threads arrive once it is unlocked
        try {
            for (int i = 0; i < 5; i++) {
                cq().raise();
            }
            assertThat(delivered()).isEqualTo(AT_ONCE);
        } finally {
            lock.unlock();
        }
        List<QueuedCq> taken = new ArrayList<>();
        for (FutureTask<QueuedCq> waiter : waiters) {
            taken.add(result(waiter));
        }
        assertThat(taken).containsExactlyElementsOf(cqs);
        assertThat(queue.tryTake()).isNull();
    }

    /** Beside events that are kept for one that never comes, a deadline ends the wait with one. */
    @Test
    void whoRunsOutOfTimeTakesWhatIsListed() throws Exception {
        VarHandle onTheirWay = field("onTheirWay", int.class);
        FutureTask<QueuedCq> waiter = new FutureTask<>(() -> queue.take(300_000_000L));
        threads.add(parked(Thread.ofVirtual().start(waiter)));
        onTheirWay.setVolatile(chain, AT_ONCE);
        QueuedCq cq = cq();
        cq.raise();
        assertThat(delivered()).as("listed for a thread on its way").isZero();
        assertThat(result(waiter)).isSameAs(cq);
        assertThat((int) onTheirWay.getVolatile(chain))
                .as("it was not on its way itself")
                .isEqualTo(AT_ONCE);
        onTheirWay.setVolatile(chain, 0);
    }

    /**
     * A thread that finds a listed event while others wait joins them, once 16 were taken past
     * them.
     */
    @Test
    void nobodyIsPassedForEver() throws Exception {
        startWaiters(1);
        field("onTheirWay", int.class).setVolatile(chain, AT_ONCE);
        for (int i = 0; i < MOST_PASSED + 2; i++) {
            cq().raise();
        }
        for (int i = 0; i < MOST_PASSED; i++) {
            assertThat(takenByAVirtualThread()).isSameAs(cqs.get(i));
        }
        startWaiters(1); // it takes one more
        for (int i = 0; i < AT_ONCE; i++) {
            queue.arrived(new Waiter(null));
        }
        for (int i = 0; i < 2; i++) {
            assertThat(result(waiters.get(i))).isSameAs(cqs.get(MOST_PASSED + i));
        }
    }

    /** The same where no thread waits, but others are on their way: it yields, once in so many. */
    @Test
    void nobodyOnItsWayIsPassedForEver() throws Exception {
        field("onTheirWay", int.class).setVolatile(chain, AT_ONCE);
        VarHandle passed = field("passed", int.class);
        for (int i = 0; i <= MOST_PASSED; i++) {
            cq().raise();
            assertThat((int) passed.getVolatile(chain)).isEqualTo(i);
            assertThat(takenByAVirtualThread()).isSameAs(cqs.get(i));
        }
        assertThat((int) passed.getVolatile(chain)).as("it has yielded").isZero();
    }

    /** And not before 0.1 ms: to make way costs more than to handle events that take nothing. */
    @Test
    void nobodyMakesWayForLittle() throws Exception {
        field("onTheirWay", int.class).setVolatile(chain, AT_ONCE);
        VarHandle passed = field("passed", int.class);
        VarHandle gaveWay = field("gaveWay", long.class);
        passed.setVolatile(chain, MOST_PASSED);
        gaveWay.setVolatile(chain, System.nanoTime() + PATIENCE_NANOS);
        cq().raise();
        assertThat(takenByAVirtualThread()).isSameAs(cqs.get(0));
        assertThat((int) passed.getVolatile(chain)).as("it was let past once more").isOne();

        long now = System.nanoTime();
        passed.setVolatile(chain, MOST_PASSED);
        gaveWay.setVolatile(chain, now - 100_000);
        cq().raise();
        assertThat(takenByAVirtualThread()).isSameAs(cqs.get(1));
        assertThat((int) passed.getVolatile(chain)).as("it has yielded").isZero();
        assertThat((long) gaveWay.getVolatile(chain)).isGreaterThanOrEqualTo(now);
    }

    /** A thread on its way may wait for a carrier, held by a thread that waits for this one. */
    @Test
    void aPlatformThreadIsNotKeptWaitingByThoseOnTheirWay() throws Exception {
        VarHandle onTheirWay = field("onTheirWay", int.class);
        onTheirWay.setVolatile(chain, AT_ONCE);
        FutureTask<QueuedCq> waiter = new FutureTask<>(() -> queue.take(PATIENCE_NANOS));
        threads.add(parked(Thread.ofPlatform().start(waiter)));
        QueuedCq one = cq();
        one.raise();
        assertThat(delivered()).isEqualTo(1);
        assertThat(result(waiter)).isSameAs(one);
        assertThat((int) onTheirWay.getVolatile(chain)).isEqualTo(AT_ONCE);

        startWaiters(1);
        cq().raise();
        assertThat(delivered()).as("virtual threads alone wait: listed").isEqualTo(1);
        queue.arrived(new Waiter(null));
        assertThat(result(waiters.get(0))).isSameAs(cqs.get(1));
    }

    /** While a platform thread waited more than two were woken: no more than two follow them. */
    @Test
    void theChainIsNoLongerThanItShouldBe() throws Exception {
        startWaiters(1);
        VarHandle onTheirWay = field("onTheirWay", int.class);
        onTheirWay.setVolatile(chain, AT_ONCE + 2);
        cq().raise();
        for (int i = 0; i < 2; i++) {
            queue.arrived(new Waiter(null));
            assertThat(delivered()).isZero();
        }
        queue.arrived(new Waiter(null));
        assertThat(delivered()).isEqualTo(1);
        assertThat(result(waiters.get(0))).isSameAs(cqs.get(0));
    }

    /** Nor does it join threads that wait for others to arrive. */
    @Test
    void aPlatformThreadTakesWhatIsListed() throws Exception {
        startWaiters(1);
        field("onTheirWay", int.class).setVolatile(chain, AT_ONCE);
        FutureTask<Void> takesAll =
                new FutureTask<>(
                        () -> {
                            for (QueuedCq cq : cqs) {
                                assertThat(queue.take(PATIENCE_NANOS)).isSameAs(cq);
                            }
                            return null;
                        });
        for (int i = 0; i < 3 * MOST_PASSED; i++) {
            cq().raise();
        }
        threads.add(Thread.ofPlatform().start(takesAll));
        takesAll.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    /**
     * What was listed for those on their way is received before the failure, though others wait.
     */
    @Test
    void aFailureComesAfterWhatIsListed() throws Exception {
        startWaiters(4);
        field("onTheirWay", int.class).setVolatile(chain, AT_ONCE);
        QueuedCq one = cq();
        QueuedCq two = cq();
        one.raise();
        two.raise();
        queue.end(new IllegalStateException("the device is gone"));
        assertThat(result(waiters.get(0))).isSameAs(one);
        assertThat(result(waiters.get(1))).isSameAs(two);
        for (int i = 2; i < 4; i++) {
            assertThat(waiters.get(i))
                    .failsWithin(PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(EventQueueEndedException.class);
        }
    }
}
