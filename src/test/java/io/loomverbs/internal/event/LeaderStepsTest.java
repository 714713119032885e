package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** What a leader remembers and leaves behind, step by step. */
@Timeout(60)
class LeaderStepsTest {
    private static final int MOST_LOOKS = 64;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Raises what a test says, at once. */
    private static final class Ready implements EventSource {
        private final List<Long> waits = new ArrayList<>();
        private int raised;
        private @Nullable Error met;
        private volatile int wakes;

        @Override
        public int await(long nanos, Leader leader) {
            waits.add(nanos);
            if (met != null) {
                throw met;
            }
            return raised;
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate") // by one thread
        public void wake() {
            wakes++;
        }
    }

    /** Answers always the same, and counts how often it was asked. */
    private static final class Asked implements Carriers {
        private final Loan answer;
        private int times;

        Asked(Loan answer) {
            this.answer = answer;
        }

        @Override
        public Loan ask(Borrower borrower) {
            times++;
            return answer;
        }

        @Override
        public void giveBack() {}
    }

    /** Meets an Error the first time that it is to have a leader. */
    private static final class Unlucky extends LedQueue {
        private final @Nullable Waiter appointed;
        private int promotions;

        Unlucky(@Nullable Waiter appointed) {
            this.appointed = appointed;
        }

        @Override
        public java.util.List<Waiting> waiting() {
            return java.util.List.of();
        }

        @Override
        void promote(Leadership leaderless) {
            promotions++;
            if (appointed != null) {
                leaderless.appoint(appointed);
            }
            if (promotions == 1) {
                throw new StackOverflowError("planted");
            }
        }

        @Override
        public void end(@Nullable Throwable cause) {}
    }

    private final Ready source = new Ready();

    private static void onVirtual(Runnable body) throws Exception {
        FutureTask<Void> task = new FutureTask<>(body, null);
        Thread.ofVirtual().start(task);
        task.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    private Leadership leadership(Asked carriers) {
        return new Leadership(source, carriers, "unused");
    }

    private long blocking() {
        return source.waits.stream().filter(nanos -> nanos > 0).count();
    }

    /** The carrier that serves now may have gone when another thread leads. */
    @Test
    void aNewLeaderAsks() throws Exception {
        Asked carriers = new Asked(Carriers.Loan.SERVING);
        Leadership leadership = leadership(carriers);
        StubQueue queue = new StubQueue();
        source.raised = 1;
        onVirtual(
                () -> {
                    Waiter first = new Waiter(leadership);
                    leadership.lead(first, queue, 1);
                    leadership.lead(first, queue, 1);
                    assertThat(carriers.times).isOne();
                    leadership.left(first);
                    leadership.lead(new Waiter(leadership), queue, 1);
                    assertThat(carriers.times).isEqualTo(2);
                });
    }

    /** Looks without a carrier for others: each leader has as many, then blocks once. */
    @Test
    void aLeaderLooksAsOftenAsEachOther() throws Exception {
        Leadership leadership = leadership(new Asked(Carriers.Loan.COMING));
        StubQueue queue = new StubQueue();
        onVirtual(
                () -> {
                    Waiter first = new Waiter(leadership);
                    for (int i = 1; i < MOST_LOOKS; i++) {
                        leadership.lead(first, queue, 1);
                    }
                    leadership.left(first);
                    Waiter second = new Waiter(leadership);
                    for (int i = 0; i < MOST_LOOKS; i++) {
                        leadership.lead(second, queue, 1);
                    }
                    assertThat(blocking()).isZero();
                    leadership.lead(second, queue, 1);
                    assertThat(blocking()).as("nevertheless").isOne();
                    for (int i = 0; i < MOST_LOOKS; i++) {
                        leadership.lead(second, queue, 1);
                    }
                    assertThat(blocking()).as("not again before it has looked").isOne();
                    leadership.lead(second, queue, 1);
                    assertThat(blocking()).isEqualTo(2);
                });
    }

    /** Its waiters would have no leader. */
    @Test
    void aQueueThatMeetsAnErrorIsAskedAgain() {
        Leadership leadership = leadership(new Asked(Carriers.Loan.SERVING));
        Unlucky queue = new Unlucky(null);
        Waiter me = new Waiter(leadership);
        assertThat(leadership.appoint(me)).isTrue();
        leadership.enlist(queue);
        leadership.left(me);
        assertThat(queue.promotions).isEqualTo(2);
    }

    /** The Error may have come before it was unparked. */
    @Test
    void aLeaderThatWasAppointedIsUnparkedWhateverHappens() {
        Leadership leadership = leadership(new Asked(Carriers.Loan.SERVING));
        Waiter next = new Waiter(leadership); // this thread's
        Waiter me = new Waiter(new Thread(() -> {}), leadership);
        assertThat(leadership.appoint(me)).isTrue();
        leadership.enlist(new Unlucky(next));
        LockSupport.parkNanos(1); // uses up what other code has left
        leadership.left(me);
        long start = System.nanoTime();
        LockSupport.parkNanos(PATIENCE.toNanos());
        assertThat(System.nanoTime() - start).isLessThan(PATIENCE.toNanos());
    }

    /** The thread leads for all, and would meet it again and again. */
    @Test
    void anErrorOfTheThreadThatLeadsIsAFailure() throws Exception {
        Thread[] led = new Thread[1];
        Leadership leadership =
                new Leadership(
                        source,
                        new Asked(Carriers.Loan.REFUSED),
                        task -> {
                            led[0] = new Thread(task);
                            led[0].setUncaughtExceptionHandler((_, _) -> {});
                            return led[0];
                        });
        source.met = new AssertionError("planted");
        StubQueue queue = new StubQueue();
        onVirtual(() -> leadership.lead(new Waiter(leadership), queue, 1));
        assertThat(led[0].join(PATIENCE)).isTrue();
        assertThat(leadership.hasFailed()).isTrue();
        assertThat(queue.told).isOne();
    }

    /** An interrupt that comes later is not the source's concern. */
    @Test
    void aLeaderThatIsBackFromTheKernelIsInterruptedAsUsual() throws Exception {
        Leadership leadership = leadership(new Asked(Carriers.Loan.SERVING));
        CountDownLatch isBack = new CountDownLatch(1);
        Thread leader =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    Waiter me = new Waiter(leadership);
                                    leadership.lead(me, new StubQueue(), 1);
                                    leadership.left(me);
                                    isBack.countDown();
                                    LockSupport.parkNanos(PATIENCE.toNanos());
                                });
        isBack.await();
        leader.interrupt();
        assertThat(leader.join(PATIENCE)).isTrue();
        assertThat(source.waits).hasSize(1);
        assertThat(source.wakes).isZero();
    }
}
