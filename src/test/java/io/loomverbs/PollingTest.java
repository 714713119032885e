package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.StopSignal;
import io.loomverbs.support.ChildJvm;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** When a wait polls, and when it arms, as a CQ sees it. */
@Timeout(60)
class PollingTest {
    private static final Duration SHORT = Duration.ofMillis(2);
    private static final Duration LONG = Duration.ofSeconds(30);

    private final Context context = Verbs.device("soft0").open();
    private final WorkCompletions batch = WorkCompletions.allocate(1);
    private final Scripted ops = new Scripted();
    private final CompletionQueue cq =
            new CompletionQueue(
                    context,
                    null,
                    null,
                    0,
                    Delivery.DIRECT,
                    WaitStrategy.ADAPTIVE,
                    0,
                    EventQueue.ofOneCq(null));

    PollingTest() {
        cq.created(ops);
    }

    @AfterEach
    void close() {
        cq.close();
        context.close();
    }

    /** Has a completion at the n-th poll from now, or raises an event as soon as it is armed. */
    private final class Scripted implements CqOps {
        private int polls;
        private int arms;
        private int dueAfter = Integer.MAX_VALUE;
        private boolean dueWhenArmed;

        @Override
        public int cqe() {
            return 64;
        }

        @Override
        public int poll(MemorySegment wcs, long at, int max) {
            polls++;
            return --dueAfter < 0 ? 1 : 0;
        }

        @Override
        public int reqNotify(boolean solicitedOnly) {
            arms++;
            if (dueWhenArmed) {
                dueAfter = 1; // not at the poll after the arm, but at the one after the event
                cq.listener().completionEvent();
            }
            return 0;
        }

        @Override
        public int destroy() {
            return 0;
        }

        void reset(int after, boolean whenArmed) {
            polls = 0;
            arms = 0;
            dueAfter = after;
            dueWhenArmed = whenArmed;
        }
    }

    private int await(WaitStrategy strategy) throws InterruptedException {
        return cq.await(batch, 1, SHORT, strategy);
    }

    @Test
    void eventsArmsAfterOnePoll() throws Exception {
        ops.reset(Integer.MAX_VALUE, true);
        assertThat(await(WaitStrategy.EVENTS)).isEqualTo(1);
        assertThat(ops.arms).isEqualTo(1);
        assertThat(ops.polls).isEqualTo(3);
    }

    @Test
    void pollingNeverArms() throws Exception {
        ops.reset(1_000, false);
        assertThat(cq.await(batch, 1, LONG, WaitStrategy.POLLING)).isEqualTo(1);
        assertThat(ops.arms).isZero();
        assertThat(ops.polls).isEqualTo(1_001);
    }

    @Test
    void adaptiveArmsAtOnceAtFirst() throws Exception {
        ops.reset(Integer.MAX_VALUE, false);
        assertThat(await(WaitStrategy.ADAPTIVE)).isZero();
        assertThat(ops.arms).isEqualTo(1);
        assertThat(ops.polls).isEqualTo(3);
    }

    @Test
    void adaptivePollsOnceEventsHaveComeSoonAndNoLongerThanThat() throws Exception {
        makeHot();

        ops.reset(30, false);
        assertThat(await(WaitStrategy.ADAPTIVE)).isEqualTo(1);
        assertThat(ops.arms).isZero();

        ops.reset(Integer.MAX_VALUE, false);
        assertThat(await(WaitStrategy.ADAPTIVE)).isZero();
        assertThat(ops.arms).isEqualTo(1);
        assertThat(ops.polls).isBetween(100, 1_000);

        ops.reset(Integer.MAX_VALUE, false);
        assertThat(await(WaitStrategy.ADAPTIVE)).isZero();
        assertThat(ops.polls).as("polls after it has polled in vain").isEqualTo(3);
    }

    /** Others of its carrier may have run for long, so a thread looks at both after each yield. */
    @Test
    void aThreadThatYieldsHeedsItsLimitAndASignalToStop() throws Exception {
        StopSignal given = new StopSignal();
        given.give();
        int all = pollsOfAVirtualThread(Long.MAX_VALUE, null);
        assertThat(pollsOfAVirtualThread(Long.MAX_VALUE, new StopSignal())).isEqualTo(all);
        assertThat(pollsOfAVirtualThread(LONG.toNanos(), null)).isEqualTo(all);
        assertThat(pollsOfAVirtualThread(1, null)).as("of one round").isLessThan(all / 4);
        assertThat(pollsOfAVirtualThread(Long.MAX_VALUE, given)).isLessThan(all / 4);
    }

    private int pollsOfAVirtualThread(long limit, @Nullable StopSignal stop) throws Exception {
        AdaptivePolling polling = new AdaptivePolling();
        polling.waited(0); // it came soon
        ops.reset(Integer.MAX_VALUE, false);
        long start = System.nanoTime();
        FutureTask<Boolean> task =
                new FutureTask<>(() -> polling.poll(cq, batch, 1, start, limit, stop));
        Thread.ofVirtual().start(task);
        assertThat(task.get(LONG.toSeconds(), TimeUnit.SECONDS)).isFalse();
        return ops.polls;
    }

    /** Events come soon, until a wait needs none. */
    private void makeHot() throws InterruptedException {
        for (int n = 0; n < 10_000; n++) {
            ops.reset(30, true);
            assertThat(await(WaitStrategy.ADAPTIVE)).isEqualTo(1);
            if (ops.arms == 0) {
                return;
            }
        }
        throw new AssertionError("it never polls");
    }

    /** A thread that finds completions at once, beside one that is in its carrier's queue. */
    static final class NeverParks {
        private static final int WAITS = 1_000;
        private static volatile boolean isWoken;
        private static volatile boolean hasRun;

        private static void other() {
            while (!isWoken) {
                LockSupport.park();
            }
            hasRun = true;
        }

        private static void await(PollingTest test, Thread other, WaitStrategy strategy) {
            isWoken = true;
            LockSupport.unpark(other);
            try {
                for (int i = 0; i < WAITS; i++) {
                    if (hasRun) {
                        System.out.println(strategy + ": it runs");
                        return;
                    }
                    test.ops.reset(0, false);
                    test.cq.await(test.batch, 1, LONG, strategy);
                }
                System.out.println(strategy + ": it does not run");
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        public static void main(String[] args) throws InterruptedException {
            PollingTest test = new PollingTest();
            for (WaitStrategy strategy : WaitStrategy.values()) {
                isWoken = false;
                hasRun = false;
                Thread other = Thread.startVirtualThread(NeverParks::other);
                while (other.getState() != Thread.State.WAITING) {
                    Thread.sleep(1);
                }
                Thread.startVirtualThread(() -> await(test, other, strategy)).join();
                other.join();
            }
        }
    }

    /** Without the turns, which otherwise would notice. */
    @Test
    void aThreadThatAlwaysFindsSomethingLetsOthersRun() throws Exception {
        String printed =
                ChildJvm.run(
                        NeverParks.class,
                        List.of(
                                "-Dloomverbs.fair=false",
                                "-Djdk.virtualThreadScheduler.parallelism=1",
                                "-Djdk.virtualThreadScheduler.maxPoolSize=1"));
        assertThat(printed).isEqualTo("EVENTS: it runs\nPOLLING: it runs\nADAPTIVE: it runs\n");
    }

    /** What runs with one processor. */
    static final class OneProcessor {
        public static void main(String[] args) throws InterruptedException {
            PollingTest test = new PollingTest();
            test.ops.reset(Integer.MAX_VALUE, false);
            int n = test.await(WaitStrategy.POLLING);
            System.out.println(n + " completions, " + test.ops.arms + " arm");
        }
    }

    @Test
    void nobodyPollsOnOneProcessor() throws Exception {
        String printed = ChildJvm.run(OneProcessor.class, List.of("-XX:ActiveProcessorCount=1"));
        assertThat(printed).isEqualTo("0 completions, 1 arm\n");
    }
}
