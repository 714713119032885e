package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** An Error comes between two steps of a queue: it takes no event and no other waiter along. */
@Timeout(60)
class ErrorBetweenStepsTest {
    private final Error error = new StackOverflowError("planted");

    /** A CQ at whose next delivery an Error comes. */
    private static final class UnluckyCq extends QueuedCq {
        private volatile @Nullable Error toThrow;
        private volatile boolean again;

        UnluckyCq(EventQueue queue) {
            super(queue);
        }

        @Override
        int tryDeliver() {
            Error met = toThrow;
            if (met != null) {
                toThrow = again ? met : null;
                throw met;
            }
            return super.tryDeliver();
        }
    }

    private static void await(EventQueue queue, int waiters) {
        long start = System.nanoTime();
        while (waiters(queue) < waiters) {
            assertThat(System.nanoTime() - start).as("in 20 s").isLessThan(20_000_000_000L);
            LockSupport.parkNanos(100_000);
        }
    }

    private static int waiters(EventQueue queue) {
        queue.lock.lock();
        try {
            int n = 0;
            for (Waiter w = queue.firstWaiter; w != null; w = w.next) {
                n++;
            }
            return n;
        } finally {
            queue.lock.unlock();
        }
    }

    private static FutureTask<QueuedCq> start(EventQueue queue, long nanos) {
        int before = waiters(queue);
        FutureTask<QueuedCq> task = new FutureTask<>(() -> queue.take(nanos));
        Thread.ofVirtual().start(task);
        await(queue, before + 1);
        return task;
    }

    private static QueuedCq result(FutureTask<QueuedCq> task) throws Exception {
        return task.get(20, TimeUnit.SECONDS);
    }

    /** A queue that hands no event to a virtual thread that waits. */
    private static EventQueue keeping() {
        return new EventQueue(null, new WakeChain(0));
    }

    @Test
    void asAWaiterThatIsLateTakesAListedEvent() throws Exception {
        EventQueue queue = keeping();
        UnluckyCq cq = new UnluckyCq(queue);
        FutureTask<QueuedCq> late = start(queue, TimeUnit.SECONDS.toNanos(1));
        FutureTask<QueuedCq> other = start(queue, Long.MAX_VALUE);
        cq.toThrow = error;
        cq.raise();
        assertThatThrownBy(() -> result(late)).hasCause(error);
        assertThat(waiters(queue)).as("the other one").isEqualTo(1);
        assertThat(queue.tryTake()).as("the event").isSameAs(cq);
        queue.end(null);
        assertThatThrownBy(() -> result(other)).hasCauseInstanceOf(EventQueueEndedException.class);
    }

    @Test
    @SuppressWarnings("GuardedBy") // the lock is held where the method reference is called
    void asAnotherWaiterWasHandedAnEvent() throws Exception {
        WakeChain chain = new WakeChain(1);
        EventQueue queue = new EventQueue(null, chain);
        QueuedCq cq = new NamedCq(queue, "cq");
        UnluckyCq unlucky = new UnluckyCq(queue);
        FutureTask<QueuedCq> first = start(queue, Long.MAX_VALUE);
        FutureTask<QueuedCq> second = start(queue, Long.MAX_VALUE);
        queue.lock.lock();
        try {
            chain.departs();
            cq.raise();
            unlucky.raise();
            chain.arrives();
            chain.arrives(); // two may be on their way
            unlucky.toThrow = error;
            assertThatThrownBy(queue::assignWanted).isSameAs(error);
            chain.departs();
        } finally {
            queue.lock.unlock();
        }
        assertThat(result(first)).isSameAs(cq);
        assertThat(result(second)).as("handed on by the first").isSameAs(unlucky);
    }

    @Test
    void asAWokenThreadHandsOn() throws Exception {
        WakeChain chain = new WakeChain(1);
        EventQueue queue = new EventQueue(null, chain);
        QueuedCq cq = new NamedCq(queue, "cq");
        UnluckyCq unlucky = new UnluckyCq(queue);
        FutureTask<QueuedCq> first = start(queue, Long.MAX_VALUE);
        FutureTask<QueuedCq> second = start(queue, Long.MAX_VALUE);
        queue.lock.lock(); // so that the first cannot run before there is something to hand on
        try {
            cq.raise();
            unlucky.raise();
            unlucky.toThrow = error;
        } finally {
            queue.lock.unlock();
        }
        assertThat(result(first)).isSameAs(cq);
        assertThat(result(second)).isSameAs(unlucky);
        assertThat(chain.isFull()).isFalse();
        chain.departs();
        assertThat(chain.isFull()).as("each has arrived once").isTrue();
    }

    /** Its own event counts as delivered: that is what it gets, and the other's stays. */
    @Test
    void asAWokenThreadHandsOnHoweverOftenItTries() throws Exception {
        EventQueue queue = new EventQueue(null, new WakeChain(1));
        QueuedCq cq = new NamedCq(queue, "cq");
        UnluckyCq unlucky = new UnluckyCq(queue);
        FutureTask<QueuedCq> first = start(queue, Long.MAX_VALUE);
        FutureTask<QueuedCq> second = start(queue, Long.MAX_VALUE);
        queue.lock.lock();
        try {
            cq.raise();
            unlucky.raise();
            unlucky.again = true;
            unlucky.toThrow = error;
        } finally {
            queue.lock.unlock();
        }
        assertThat(result(first)).isSameAs(cq);
        unlucky.toThrow = null;
        cq.raise();
        assertThat(result(second)).isSameAs(unlucky);
    }

    /** It has to wait behind others, and meets the Error as it hands them what is there. */
    @Test
    @SuppressWarnings("GuardedBy") // the lock is held
    void asAThreadThatGivesWayJoins() throws Exception {
        WakeChain chain = new WakeChain(1);
        EventQueue queue = new EventQueue(null, chain);
        UnluckyCq cq = new UnluckyCq(queue);
        chain.departs();
        FutureTask<QueuedCq> first = start(queue, Long.MAX_VALUE);
        cq.raise();
        FutureTask<QueuedCq> second =
                new FutureTask<>(
                        () -> {
                            giveWayNext(queue, chain);
                            chain.arrives();
                            cq.toThrow = error;
                            return queue.take(Long.MAX_VALUE);
                        });
        Thread.ofVirtual().start(second);
        assertThatThrownBy(() -> result(second)).hasCause(error);
        assertThat(waiters(queue)).as("the first").isOne();
        queue.end(new IllegalStateException("planted")); // what is listed is delivered before
        assertThat(result(first)).isSameAs(cq);
    }

    /** Passes the first waiter as often as a thread may. */
    private static void giveWayNext(EventQueue queue, WakeChain chain) {
        queue.lock.lock();
        try {
            for (int i = 0; i < 16; i++) {
                assertThat(chain.passes(queue.firstWaiter)).isTrue();
            }
        } finally {
            queue.lock.unlock();
        }
        long start = System.nanoTime();
        while (System.nanoTime() - start
                < 1_000_000) { // long enough not to have given way just now
            Thread.onSpinWait();
        }
    }

    /** The leader that leaves ends the queues of a source that has failed. */
    @Test
    void asQueuesAreEnded() throws Exception {
        InMemorySource source = new InMemorySource();
        List<FutureTask<QueuedCq>> tasks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            tasks.add(start(EventQueue.shared(source), Long.MAX_VALUE));
        }
        source.awaitLeader();
        source.refusal = error; // met by every end of a queue, once it has told its waiters
        source.fail(new IllegalStateException("planted"));
        int told = 0;
        for (FutureTask<QueuedCq> task : tasks) {
            assertThatThrownBy(() -> result(task)).isNotNull();
            told += task.isDone() ? 1 : 0;
        }
        assertThat(told).isEqualTo(4);
    }

    /** A descriptor that cannot be raised the first time. */
    private final class UnluckyFd implements ReadyFd {
        private boolean met;
        private boolean raised;

        @Override
        public int number() {
            return 7;
        }

        @Override
        public void raise() {
            if (!met) {
                met = true;
                throw error;
            }
            raised = true;
        }

        @Override
        public void lower() {
            raised = false;
        }

        @Override
        public void close() {}
    }

    @Test
    void asADescriptorShowsTheEnd() throws Exception {
        EventQueue queue = EventQueue.shared(null);
        UnluckyFd fd = new UnluckyFd();
        queue.watch(fd);
        FutureTask<QueuedCq> first = start(queue, Long.MAX_VALUE);
        FutureTask<QueuedCq> second = start(queue, Long.MAX_VALUE);
        queue.end(null);
        assertThat(fd.met).isTrue();
        for (FutureTask<QueuedCq> task : List.of(first, second)) {
            assertThatThrownBy(() -> result(task))
                    .hasCauseInstanceOf(EventQueueEndedException.class);
        }
        assertThatThrownBy(queue::tryTake).isInstanceOf(EventQueueEndedException.class);
        assertThat(fd.raised).as("shown to the next thread that looks, and from then on").isTrue();
    }

    /** The raiser does not see that. */
    @Test
    void asADescriptorShowsAnEvent() {
        EventQueue queue = EventQueue.shared(null);
        UnluckyFd fd = new UnluckyFd();
        queue.watch(fd);
        new NamedCq(queue, "cq").raise();
        assertThat(fd.met).isTrue();
        assertThat(fd.raised).isTrue();
    }

    /** One is the leader, whose source cannot be woken; the other parks. */
    @Test
    void asOneOfSeveralIsWoken() throws Exception {
        InMemorySource source = new InMemorySource();
        EventQueue queue = EventQueue.shared(source);
        FutureTask<QueuedCq> leader = start(queue, Long.MAX_VALUE);
        source.awaitLeader();
        FutureTask<QueuedCq> follower = start(queue, Long.MAX_VALUE);
        source.ofEachWake = true;
        source.ofWake = error;
        assertThatThrownBy(() -> queue.end(null)).isSameAs(error);
        assertThatThrownBy(() -> result(follower))
                .hasCauseInstanceOf(EventQueueEndedException.class);
        source.ofWake = null;
        source.wake();
        assertThatThrownBy(() -> result(leader)).hasCauseInstanceOf(EventQueueEndedException.class);
    }

    /** It is tried again. */
    @Test
    void asTheLeaderIsWokenByTheEnd() throws Exception {
        InMemorySource source = new InMemorySource();
        EventQueue queue = EventQueue.shared(source);
        FutureTask<QueuedCq> leader = start(queue, Long.MAX_VALUE);
        source.awaitLeader();
        source.ofWake = error;
        queue.end(null);
        assertThatThrownBy(() -> result(leader)).hasCauseInstanceOf(EventQueueEndedException.class);
    }

    /** As a device does: it raises an event again until that does not end with an Error. */
    private static void raise(QueuedCq cq) {
        for (int tries = 0; tries < 1000; tries++) {
            try {
                cq.raise();
                return;
            } catch (Error e) {
                // Such as no memory: once more.
            }
        }
    }

    /** The event is handed over, and its thread cannot be woken at first, or not at all. */
    @ParameterizedTest
    @CsvSource({"true, false", "true, true", "false, false", "false, true"})
    void asTheThreadIsWokenThatWasHandedAnEvent(boolean shared, boolean always) throws Exception {
        InMemorySource source = new InMemorySource();
        EventQueue queue = shared ? EventQueue.shared(source) : EventQueue.ofOneCq(source);
        QueuedCq cq = new NamedCq(queue, "cq");
        FutureTask<QueuedCq> leader = start(queue, Long.MAX_VALUE);
        source.awaitLeader();
        source.ofEachWake = always;
        source.ofWake = error;
        raise(cq);
        assertThat(queue.pending(cq)).as("raised twice").isZero();
        if (always) {
            source.ofWake = null;
            source.wake();
        }
        assertThat(result(leader)).isSameAs(cq);
        assertThat(queue.tryTake()).as("one event").isNull();
    }

    /** An event is listed, and then one that was listed before cannot be handed over at first. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void asAnEventOfAnotherCqIsHandedOver(boolean always) throws Exception {
        WakeChain chain = new WakeChain(1);
        EventQueue queue = new EventQueue(null, chain);
        UnluckyCq unlucky = new UnluckyCq(queue);
        QueuedCq cq = new NamedCq(queue, "cq");
        chain.departs();
        FutureTask<QueuedCq> waiter = start(queue, Long.MAX_VALUE);
        unlucky.raise(); // it is kept: no other thread is to be woken
        queue.lock.lock();
        try {
            chain.arrives();
            Objects.requireNonNull(queue.inbox).setWanted(true);
        } finally {
            queue.lock.unlock();
        }
        unlucky.again = always;
        unlucky.toThrow = error;
        raise(cq);
        unlucky.toThrow = null;
        if (always) {
            chain.departs();
            queue.arrived(new Waiter(null)); // the next thread hands over what is left
        }
        assertThat(result(waiter)).isSameAs(unlucky);
        assertThat(queue.pending(cq)).as("raised twice").isOne();
    }

    /** The raiser tries again: there is one event in the end, and not two. */
    @Test
    void asAnEventOfOneCqIsRaised() throws Exception {
        EventQueue queue = EventQueue.ofOneCq(null);
        UnluckyCq cq = new UnluckyCq(queue);
        FutureTask<QueuedCq> waiter = start(queue, Long.MAX_VALUE);
        cq.toThrow = error;
        assertThatThrownBy(cq::raise).isSameAs(error);
        assertThat(queue.pending(cq)).isZero();
        cq.raise();
        assertThat(result(waiter)).isSameAs(cq);
        assertThat(queue.pending(cq)).isZero();
    }
}
