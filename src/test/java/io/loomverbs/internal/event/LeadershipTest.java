package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Where events have to be fetched, one waiter fetches them, as long as any thread waits. */
@Timeout(60)
@ParameterizedClass
@ValueSource(booleans = {true, false})
class LeadershipTest {
    private static final long FOR_EVER = Long.MAX_VALUE;

    private final boolean virtual;
    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicInteger givenBack = new AtomicInteger();
    private volatile boolean refused;

    /** How many times a borrower is told not to block. */
    private final AtomicInteger busy = new AtomicInteger();

    private Carriers carriers;
    private InMemorySource source;
    private final List<Waiting> started = new ArrayList<>();

    LeadershipTest(boolean virtual) {
        this.virtual = virtual;
    }

    /** A thread that waits, and what comes of it. */
    private static final class Waiting {
        private final CompletableFuture<String> result = new CompletableFuture<>();
        private Thread thread;

        String result() throws Exception {
            return result.get(20, TimeUnit.SECONDS);
        }
    }

    private interface Take {
        Object take() throws InterruptedException;
    }

    @BeforeEach
    void open() {
        carriers =
                new Carriers() {
                    @Override
                    public Loan ask(Borrower borrower) {
                        asked.incrementAndGet();
                        if (refused) {
                            return Loan.REFUSED;
                        }
                        return busy.getAndDecrement() <= 0 ? Loan.SERVING : Loan.COMING;
                    }

                    @Override
                    public void giveBack() {
                        givenBack.incrementAndGet();
                    }
                };
        source = new InMemorySource(carriers);
    }

    /** Whatever a test was about: one at a time, no thread left over, every carrier given back. */
    @AfterEach
    void checkLeftNothing() throws Exception {
        for (Waiting waiting : started) {
            assertThat(waiting.thread.join(Duration.ofSeconds(20))).isTrue();
        }
        assertThat(source.most).isLessThanOrEqualTo(1);
        assertThat(source.joined).hasValue(0);
        if (!refused) {
            assertThat(source.inside).isZero();
        }
    }

    private Waiting start(Take take) {
        Waiting waiting = new Waiting();
        Runnable body =
                () -> {
                    try {
                        Object taken = take.take();
                        waiting.result.complete(
                                taken instanceof QueuedCq cq ? "event of " + cq : taken + "");
                    } catch (InterruptedException e) {
                        waiting.result.complete("interrupted");
                    } catch (EventQueueEndedException e) {
                        waiting.result.complete(
                                e.getCause() == null ? "closed" : e.getCause().getMessage());
                    } catch (Throwable t) {
                        waiting.result.completeExceptionally(t);
                    }
                };
        waiting.thread =
                virtual ? Thread.ofVirtual().unstarted(body) : Thread.ofPlatform().unstarted(body);
        waiting.thread.start();
        started.add(waiting);
        return waiting;
    }

    private Waiting leader(Take take) {
        Waiting leader = start(take);
        source.awaitLeader(leader.thread);
        return leader;
    }

    private Waiting follower(Take take) {
        Waiting follower = start(take);
        while (follower.thread.getState() != Thread.State.WAITING
                && follower.thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        return follower;
    }

    @Test
    void whoIsAloneFetchesItsOwnEvent() throws Exception {
        EventQueue queue = EventQueue.shared(source);
        QueuedCq cq = new NamedCq(queue, "a");
        Waiting one = leader(() -> queue.take(FOR_EVER));
        assertThat(asked).hasValue(virtual ? 1 : 0);
        source.add(cq::raise);
        assertThat(one.result()).isEqualTo("event of a");
    }

    /** Then events stay in the kernel, and {@code tryTake} fetches them. */
    @Test
    void nobodyLeadsWhenNobodyWaits() throws Exception {
        EventQueue queue = EventQueue.shared(source);
        QueuedCq cq = new NamedCq(queue, "a");
        source.add(cq::raise);
        source.add(cq::raise);
        assertThat(start(() -> queue.take(FOR_EVER)).result()).isEqualTo("event of a");
        started.getFirst().thread.join();
        assertThat(source.left()).isEqualTo(1);
        assertThat(queue.tryTake()).isSameAs(cq);
        assertThat(queue.take(0)).isNull();
        assertThat(source.left()).isZero();
    }

    /**
     * Its carrier has nothing else to run, so nothing is behind it that would have to come first.
     */
    @Test
    void waitsOfAThreadThatIsAloneInTheKernelDoNotCount() throws Exception {
        EventQueue queue = EventQueue.shared(source);
        QueuedCq cq = new NamedCq(queue, "a");
        queue.countWait();
        assertThat(queue.countWait()).isEqualTo(2);
        Waiting one = leader(() -> queue.take(FOR_EVER));
        source.add(cq::raise);
        assertThat(one.result()).isEqualTo("event of a");
        assertThat(queue.countWait()).isOne();
    }

    @Test
    void waitsBesideOthersCount() throws Exception {
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        a.countWait();
        Waiting one = leader(() -> a.take(FOR_EVER));
        Waiting two = follower(() -> b.take(FOR_EVER));
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
        assertThat(a.countWait()).isEqualTo(2);
        source.add(new NamedCq(b, "b")::raise);
        assertThat(two.result()).isEqualTo("event of b");
    }

    @Test
    void theLeadIsHandedOnWithTheEvent() throws Exception {
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        Waiting two = follower(() -> b.take(FOR_EVER));
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
        source.awaitLeader(two.thread);
        source.add(new NamedCq(b, "b")::raise);
        assertThat(two.result()).isEqualTo("event of b");
    }

    /** A platform thread leads without waiting for a carrier. */
    @Test
    void aPlatformThreadIsAppointedFirst() throws Exception {
        EventQueue queue = EventQueue.shared(source);
        QueuedCq cq = new NamedCq(queue, "a");
        Waiting one = leader(() -> queue.take(FOR_EVER));
        Waiting two = follower(() -> queue.take(FOR_EVER));
        Waiting three = new Waiting();
        three.thread =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        three.result.complete("event of " + queue.take(FOR_EVER));
                                    } catch (InterruptedException e) {
                                        three.result.completeExceptionally(e);
                                    }
                                });
        started.add(three);
        while (three.thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        source.add(cq::raise);
        assertThat(one.result()).isEqualTo("event of a");
        source.awaitLeader((virtual ? three : two).thread);
        source.add(cq::raise);
        source.add(cq::raise);
        assertThat(two.result()).isEqualTo("event of a");
        assertThat(three.result()).isEqualTo("event of a");
    }

    /** It looks for events again and again, and leaves its carrier to others meanwhile. */
    @Test
    void aLeaderThatMayNotBlockFetchesNevertheless() throws Exception {
        busy.set(Integer.MAX_VALUE);
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        Waiting two = follower(() -> b.take(FOR_EVER));
        source.add(new NamedCq(b, "b")::raise);
        assertThat(two.result()).isEqualTo("event of b");
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
        assertThat(start(() -> a.take(30_000_000)).result()).isEqualTo("null");
        Waiting three = leader(() -> a.take(FOR_EVER));
        three.thread.interrupt();
        assertThat(three.result()).isEqualTo("interrupted");
        int asked = Integer.MAX_VALUE - busy.get();
        if (!virtual) {
            assertThat(asked).as("it holds no carrier").isZero();
        } else if (source.blocked > 0) {
            assertThat(asked).as("it looks before it blocks").isGreaterThan(64);
        } else {
            assertThat(asked).isPositive();
        }
    }

    /** What it was told when it came may not be true any more. */
    @Test
    void aLeaderInTheKernelAsksAgainWhetherItMayBlock() throws Exception {
        EventQueue queue = EventQueue.shared(source);
        Waiting one = leader(() -> queue.take(FOR_EVER));
        int blocked = source.blocked;
        busy.set(5);
        source.wake();
        long start = System.nanoTime();
        while (source.blocked == blocked || (virtual && busy.get() >= 0)) {
            assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
            Thread.onSpinWait();
        }
        source.add(new NamedCq(queue, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
    }

    /** A platform thread leads from then on. */
    @Test
    void aLeaderWhoseCarrierIsTakenAwayLeadsNoMore() throws Exception {
        EventQueue queue = EventQueue.shared(source);
        Waiting one = leader(() -> queue.take(FOR_EVER));
        refused = true;
        source.wake();
        if (virtual) {
            source.awaitAnother(one.thread);
        }
        source.add(new NamedCq(queue, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
    }

    @Test
    void theLeaderFetchesForOthers() throws Exception {
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        Waiting two = follower(() -> b.take(FOR_EVER));
        source.add(new NamedCq(b, "b")::raise);
        assertThat(two.result()).isEqualTo("event of b");
        source.awaitLeader(one.thread);
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
    }

    @Test
    void anInterruptedLeaderHandsOn() throws Exception {
        EventQueue a = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        Waiting two = follower(() -> a.take(FOR_EVER));
        one.thread.interrupt();
        assertThat(one.result()).isEqualTo("interrupted");
        source.awaitLeader(two.thread);
        source.add(new NamedCq(a, "a")::raise);
        assertThat(two.result()).isEqualTo("event of a");
    }

    @Test
    void aLeaderThatRunsOutOfTimeHandsOn() throws Exception {
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(100_000_000));
        Waiting two = start(() -> b.take(FOR_EVER));
        assertThat(one.result()).isEqualTo("null");
        source.awaitLeader(two.thread);
        source.add(new NamedCq(b, "b")::raise);
        assertThat(two.result()).isEqualTo("event of b");
    }

    /** An event from elsewhere, as when a failed close lists its CQ again. */
    @Test
    void whatAnotherThreadGivesReachesALeader() throws Exception {
        EventQueue a = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        new NamedCq(a, "a").raise();
        assertThat(one.result()).isEqualTo("event of a");
    }

    @Test
    void aCloseReachesALeader() throws Exception {
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        Waiting two = follower(() -> b.take(FOR_EVER));
        a.end(null);
        assertThat(one.result()).isEqualTo("closed");
        source.awaitLeader(two.thread);
        b.end(null);
        assertThat(two.result()).isEqualTo("closed");
    }

    @Test
    void aSourceThatFailsFailsEverybody() throws Exception {
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        AsyncQueue async = new AsyncQueue();
        async.fetchedFrom(source);
        List<Waiting> all =
                List.of(
                        leader(() -> a.take(FOR_EVER)),
                        follower(() -> a.take(FOR_EVER)),
                        follower(() -> b.take(FOR_EVER)),
                        follower(() -> async.take(FOR_EVER)));
        source.fail(new IllegalStateException("broken"));
        for (Waiting waiting : all) {
            assertThat(waiting.result()).isEqualTo("broken");
        }
        EventQueue late = EventQueue.shared(source);
        assertThat(start(() -> late.take(FOR_EVER)).result()).isEqualTo("broken");
        assertThat(start(() -> b.take(FOR_EVER)).result()).isEqualTo("broken");
    }

    /** An Error of the leader ends the leader's wait alone; another thread takes the lead. */
    @Test
    void anErrorEndsTheLeadersWaitAlone() throws Exception {
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        Waiting two = follower(() -> b.take(FOR_EVER));
        Error error = new OutOfMemoryError("planted");
        source.hit(error);
        assertThatThrownBy(one::result).hasCause(error);
        source.awaitLeader(two.thread);
        source.add(new NamedCq(b, "b")::raise);
        assertThat(two.result()).isEqualTo("event of b");
        source.add(new NamedCq(a, "a")::raise);
        assertThat(start(() -> a.take(FOR_EVER)).result()).isEqualTo("event of a");
    }

    /** And so does one of a platform thread that leads for all: there will be another. */
    @Test
    void anErrorOfTheThreadThatLeadsEndsNoWait() throws Exception {
        refused = true;
        EventQueue a = EventQueue.shared(source);
        Waiting one = follower(() -> a.take(FOR_EVER));
        source.awaitLeader();
        Thread first = source.last;
        if (virtual) {
            first.setUncaughtExceptionHandler((thread, e) -> {});
            source.hit(new OutOfMemoryError("planted"));
            source.awaitAnother(first);
        }
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
        endTheSource();
    }

    /** The leader looks for events now and then, and does not block its carrier. */
    @Test
    void withoutACarrierAndAThreadALeaderFetchesNevertheless() throws Exception {
        refused = true;
        AtomicInteger tries = new AtomicInteger();
        source =
                new InMemorySource(
                        carriers,
                        task ->
                                new Thread(task) {
                                    @Override
                                    public void start() {
                                        tries.incrementAndGet();
                                        throw new OutOfMemoryError("planted");
                                    }
                                });
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        Waiting one = start(() -> a.take(FOR_EVER));
        Waiting two = start(() -> b.take(FOR_EVER));
        if (virtual) {
            Thread.sleep(30); // it looks some times, and does not block
        } else {
            source.awaitLeader();
        }
        assertThat(source.blocked).isEqualTo(virtual ? 0 : 1);
        source.add(new NamedCq(b, "b")::raise);
        assertThat(two.result()).isEqualTo("event of b");
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
        assertThat(tries).as("once a second").hasValueLessThan(30);
        assertThat(tries.get() > 0).isEqualTo(virtual);
    }

    /** With it the thread that leads for all goes, and the carrier is given back. */
    @Test
    void theEndSendsTheThreadAway() throws Exception {
        refused = true;
        EventQueue a = EventQueue.shared(source);
        Waiting one = follower(() -> a.take(FOR_EVER));
        source.awaitLeader();
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
        one.thread.join();
        endTheSource();
        assertThat(givenBack).hasValue(1);
    }

    private void endTheSource() throws InterruptedException {
        source.leadership().end();
        long start = System.nanoTime();
        while (source.inside > 0) {
            assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
            Thread.sleep(1);
        }
    }

    /** Then a platform thread leads, and fails every waiter just the same. */
    @Test
    void withoutACarrierAThreadLeads() throws Exception {
        refused = true;
        EventQueue a = EventQueue.shared(source);
        Waiting one = follower(() -> a.take(FOR_EVER));
        if (virtual) {
            source.awaitLeader();
            assertThat(source.last.getName()).isEqualTo("test-poller");
            assertThat(source.last.isDaemon()).isTrue();
        }
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
        Waiting two = follower(() -> a.take(FOR_EVER));
        source.fail(new IllegalStateException("broken"));
        assertThat(two.result()).isEqualTo("broken");
    }

    @Test
    void asynchronousEventsAreFetchedToo() throws Exception {
        EventQueue a = EventQueue.shared(source);
        AsyncQueue async = new AsyncQueue();
        async.fetchedFrom(source);
        Waiting one = leader(() -> async.take(FOR_EVER));
        Waiting two = follower(() -> a.take(FOR_EVER));
        AsyncQueue.Raised portError = new AsyncQueue.Raised(10, 1, null, null);
        source.add(() -> async.raise(portError));
        assertThat(one.result()).isEqualTo(portError.toString());
        source.awaitLeader(two.thread);
        source.add(() -> async.raise(portError));
        assertThat(start(() -> async.take(FOR_EVER)).result()).isEqualTo(portError.toString());
        source.add(() -> async.raise(portError));
        source.add(new NamedCq(a, "a")::raise);
        assertThat(two.result()).isEqualTo("event of a");
        assertThat(async.take(0)).isEqualTo(portError);
        assertThat(async.take(0)).isNull();
    }

    @Test
    void aLeaderOfAsynchronousEventsIsInterruptedAndTimesOut() throws Exception {
        AsyncQueue async = new AsyncQueue();
        async.fetchedFrom(source);
        Waiting one = leader(() -> async.take(FOR_EVER));
        one.thread.interrupt();
        assertThat(one.result()).isEqualTo("interrupted");
        assertThat(start(() -> async.take(1_000_000)).result()).isEqualTo("null");
        Waiting two = leader(() -> async.take(FOR_EVER));
        async.end(null);
        assertThat(two.result()).isEqualTo("closed");
    }

    @Test
    void whoWaitsForAsynchronousEventsNoLongerIsNotAppointed() throws Exception {
        EventQueue a = EventQueue.shared(source);
        EventQueue b = EventQueue.shared(source);
        AsyncQueue async = new AsyncQueue();
        async.fetchedFrom(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        Waiting two = follower(() -> async.take(FOR_EVER));
        two.thread.interrupt();
        assertThat(two.result()).isEqualTo("interrupted");
        Waiting three = follower(() -> b.take(FOR_EVER));
        source.add(new NamedCq(a, "a")::raise);
        assertThat(one.result()).isEqualTo("event of a");
        source.awaitLeader(three.thread);
        source.add(new NamedCq(b, "b")::raise);
        assertThat(three.result()).isEqualTo("event of b");
    }

    /** Queues of the past are not kept. */
    @Test
    void anEndedQueueIsForgotten() throws Exception {
        EventQueue a = EventQueue.shared(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        for (int i = 0; i < 100; i++) {
            EventQueue b = EventQueue.shared(source);
            Waiting two = follower(() -> b.take(FOR_EVER));
            assertThat(source.leadership().hasFollowers()).isTrue();
            b.end(null);
            assertThat(two.result()).isEqualTo("closed");
            two.thread.join();
            assertThat(source.leadership().hasFollowers()).isFalse();
        }
        a.end(null);
        assertThat(one.result()).isEqualTo("closed");
    }

    /** Nor are those in which no thread waits any more. */
    @Test
    void aQueueThatEndsWithoutWaitersIsForgotten() throws Exception {
        EventQueue a = EventQueue.shared(source);
        AsyncQueue async = new AsyncQueue();
        async.fetchedFrom(source);
        Waiting one = leader(() -> a.take(FOR_EVER));
        for (LedQueue led : List.of(EventQueue.shared(source), async)) {
            Waiting two =
                    start(
                            () ->
                                    led instanceof EventQueue b
                                            ? b.take(1_000_000)
                                            : async.take(1_000_000));
            assertThat(two.result()).isEqualTo("null");
            assertThat(source.leadership().hasFollowers()).isTrue();
            led.end(null);
            assertThat(source.leadership().hasFollowers()).isFalse();
        }
        a.end(null);
        assertThat(one.result()).isEqualTo("closed");
    }

    /** Many threads come and go in every way, and the source is always told of the next leader. */
    @Test
    void nobodyIsLeftBehind() throws Exception {
        int queues = 8;
        int rounds = 2_000;
        List<Waiting> users = new ArrayList<>();
        AtomicInteger taken = new AtomicInteger();
        for (int i = 0; i < queues; i++) {
            EventQueue queue = EventQueue.shared(source);
            QueuedCq cq = new NamedCq(queue, i);
            users.add(
                    start(
                            () -> {
                                for (int n = 0; n < rounds; n++) {
                                    source.add(cq::raise);
                                    while (queue.take(n % 3 == 0 ? 1_000 : FOR_EVER) == null) {
                                        Thread.onSpinWait();
                                    }
                                    taken.incrementAndGet();
                                    cq.tryAck(1);
                                }
                                return "done";
                            }));
        }
        for (Waiting user : users) {
            assertThat(user.result()).isEqualTo("done");
        }
        assertThat(taken).hasValue(queues * rounds);
    }
}
