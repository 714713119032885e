package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

import java.util.concurrent.ThreadLocalRandom;

/** Of the threads that wait where events have to be fetched, one leads, and none is left behind. */
public class LeadershipRaces {

    /** A leader and a follower, each in a queue of its own. */
    abstract static class Two {
        final InMemorySource source = new InMemorySource();
        final EventQueue a;
        final EventQueue b;
        final QueuedCq cqA;
        final QueuedCq cqB;

        Two() {
            a = EventQueue.shared(source);
            b = EventQueue.shared(source);
            cqA = new QueuedCq(a);
            cqB = new QueuedCq(b);
        }

        /** What a thread receives; "none" when it has waited in vain, as no thread should. */
        static Received receive(EventQueue queue) {
            Received received = new Received();
            received.begun = System.nanoTime();
            received.what = Taking.of(() -> queue.take(Patience.nanos()));
            received.back = System.nanoTime();
            return received;
        }

        OnVirtualThread<Received> receiver(EventQueue queue) {
            return OnVirtualThread.start(() -> receive(queue));
        }
    }

    /** What came of a wait, and when. */
    static final class Received {
        private String what;
        private long begun;
        private long back;

        /** The result, and whether it came long after {@code woken}, when there was reason. */
        String since(long woken) {
            return Patience.late(begun, woken, back) ? what + " late" : what;
        }
    }

    /** A leader is interrupted while the follower's event comes up. */
    @JCStressTest
    @Outcome(
            id = "interrupted, event",
            expect = ACCEPTABLE,
            desc = "the follower got its event, whichever thread fetched it")
    @Outcome(id = ".*, (none|.*late)", expect = FORBIDDEN, desc = "the follower was left behind")
    @Outcome(
            id = "(none.*|event.*|ended.*|interrupted late), .*",
            expect = FORBIDDEN,
            desc = "the interrupt did not end the leader's wait")
    @Catches(value = "a thread that leaves the lead appoints no thread", as = ".*, (none|.*late)")
    @Catches(
            value = "an interrupt does not reach the kernel",
            as = "(none.*|event.*|ended.*|interrupted late), .*")
    @State
    public static class LeaderInterrupted extends Two {
        private final OnVirtualThread<Received> leader = receiver(a);
        private final OnVirtualThread<Received> follower = receiver(b);

        private long interrupted;
        private long added;

        @Actor
        public void interrupt() {
            leader.interrupt();
            interrupted = System.nanoTime();
        }

        @Actor
        public void event() {
            source.add(cqB::raise);
            added = System.nanoTime();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = leader.join().since(interrupted);
            r.r2 = follower.join().since(added);
        }
    }

    /** A leader runs out of time while the follower's event comes up. */
    @JCStressTest
    @Outcome(
            id = "none, event",
            expect = ACCEPTABLE,
            desc = "the follower got its event, whichever thread fetched it")
    @Outcome(id = ".*, (none|.*late)", expect = FORBIDDEN, desc = "the follower was left behind")
    @Outcome(id = "event, .*", expect = FORBIDDEN, desc = "an event went to the wrong one")
    @Catches(value = "a thread that leaves the lead appoints no thread", as = ".*, (none|.*late)")
    @State
    public static class LeaderTimesOut extends Two {
        private final OnVirtualThread<String> leader =
                OnVirtualThread.start(() -> Taking.of(() -> a.take(20_000)));
        private final OnVirtualThread<Received> follower = receiver(b);

        private long added;

        @Actor
        public void event() {
            Taking.pauseUpTo(60_000);
            source.add(cqB::raise);
            added = System.nanoTime();
        }

        @Actor
        public void waits(LL_Result r) {
            r.r1 = leader.join();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = follower.join().since(added);
        }
    }

    /** One gets its event and leaves while another comes to wait; each has an event. */
    @JCStressTest
    @Outcome(id = "event, event", expect = ACCEPTABLE, desc = "both got theirs")
    @Outcome(id = ".*(none|late).*", expect = FORBIDDEN, desc = "one parks, and no thread leads")
    @Catches(value = "a thread that is enlisted does not look again", as = ".*(none|late).*")
    @State
    public static class LeaderLeavesWaiterArrives extends Two {
        public LeaderLeavesWaiterArrives() {
            source.add(cqA::raise);
            source.add(cqB::raise);
        }

        @Actor
        public void leaves(LL_Result r) {
            r.r1 = OnVirtualThread.call(() -> receive(a)).since(0);
        }

        @Actor
        public void arrives(LL_Result r) {
            r.r2 = OnVirtualThread.call(() -> receive(b)).since(0);
        }
    }

    /** Two threads wait, an event for each comes up at once. */
    @JCStressTest
    @Outcome(id = "event, event", expect = ACCEPTABLE, desc = "both got theirs")
    @Outcome(id = ".*(none|late).*", expect = FORBIDDEN, desc = "one parks, and no thread leads")
    @Catches(value = "a thread that leaves the lead appoints no thread", as = ".*(none|late).*")
    @State
    public static class TwoEventsTwoLeaders extends Two {
        private final OnVirtualThread<Received> one = receiver(a);
        private final OnVirtualThread<Received> two = receiver(b);

        private long addedA;
        private long addedB;

        @Actor
        public void first() {
            source.add(cqA::raise);
            addedA = System.nanoTime();
        }

        @Actor
        public void second() {
            source.add(cqB::raise);
            addedB = System.nanoTime();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = one.join().since(addedA);
            r.r2 = two.join().since(addedB);
        }
    }

    /** A thread takes the lead while another raises an event for it, as a failed close does. */
    @JCStressTest
    @Outcome(id = "event", expect = ACCEPTABLE, desc = "received")
    @Outcome(
            id = "(none|.*late)",
            expect = FORBIDDEN,
            desc = "the event did not reach the thread in the kernel")
    @Catches(value = "a leader that is given something stays", as = "(none|.*late)")
    @Catches(value = "a leader that was served goes to wait", as = "(none|.*late)")
    @State
    public static class GivenFromElsewhere extends Two {
        private Received received;
        private long raised;

        @Actor
        public void take() {
            received = OnVirtualThread.call(() -> receive(a));
        }

        @Actor
        public void raise() {
            OnVirtualThread.run(cqA::raise); // as late as the other one
            raised = System.nanoTime();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = received.since(raised);
        }
    }

    /** A queue is closed in which a thread takes the lead, while another comes to wait. */
    @JCStressTest
    @Outcome(
            id = "ended, event",
            expect = ACCEPTABLE,
            desc = "one learns of the close, the other leads and gets its event")
    @Outcome(
            id = "(none|event|.*late), .*",
            expect = FORBIDDEN,
            desc = "the close did not reach the leader")
    @Outcome(id = ".*, (none|.*late)", expect = FORBIDDEN, desc = "the follower was left behind")
    @Catches(value = "a leader that is given something stays", as = "(none|event|.*late), .*")
    @State
    public static class CloseOfLeader extends Two {
        private final OnVirtualThread<Received> leader = receiver(a);

        private long closed;

        @Actor
        public void close() {
            OnVirtualThread.run(() -> a.end(null));
            closed = System.nanoTime();
        }

        @Actor
        public void follow(LL_Result r) {
            source.add(cqB::raise);
            r.r2 = OnVirtualThread.call(() -> receive(b)).since(0);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = leader.join().since(closed);
        }
    }

    /** The device fails while a thread comes to wait, and another waits already. */
    @JCStressTest
    @Outcome(id = "ended, ended", expect = ACCEPTABLE, desc = "both learn of it")
    @Outcome(
            id = ".*(none|late).*",
            expect = FORBIDDEN,
            desc = "one waits for events of a device that has failed")
    @Catches(value = "a thread that leaves the lead appoints no thread", as = ".*(none|late).*")
    @State
    public static class FailureWaiterArrives extends Two {
        private final OnVirtualThread<Received> waiter = receiver(b);
        private Received arrived;
        private long failed;

        @Actor
        public void arrives() {
            arrived = OnVirtualThread.call(() -> receive(a));
        }

        @Actor
        public void fails() {
            source.fail(new IllegalStateException("failed"));
            failed = System.nanoTime();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = arrived.since(failed);
            r.r2 = waiter.join().since(failed);
        }
    }

    /**
     * A leader waits in one queue, another thread comes to wait in the other, and is given an
     * event.
     */
    abstract static class LockedOut extends Two {
        private final EventQueue other = EventQueue.shared(source);
        private final OnVirtualThread<Received> leader = OnVirtualThread.start(() -> receive(b));
        private final Meeting meeting = new Meeting();
        private Received arrived;
        private long given;

        void arrive() {
            arrived =
                    OnVirtualThread.call(
                            () -> {
                                meeting.await();
                                return receive(a);
                            });
        }

        void give() {
            int turns = ThreadLocalRandom.current().nextInt(20);
            meeting.await();
            keepLocked(turns);
            cqA.raise();
            given = System.nanoTime();
            keepLocked(2);
        }

        private void keepLocked(int turns) {
            for (int i = 0; i < turns; i++) {
                source.leadership().enlist(other);
                source.leadership().forget(other);
            }
        }

        void look(LL_Result r) {
            r.r1 = arrived.since(given);
            source.add(cqB::raise);
            r.r2 = leader.join().since(System.nanoTime());
        }
    }

    /** A waiter is given its event while it waits for the lock of the list of queues. */
    @JCStressTest
    @Outcome(id = "event, event", expect = ACCEPTABLE, desc = "both got theirs")
    @Outcome(
            id = "(none|.*late), .*",
            expect = FORBIDDEN,
            desc = "the lock used up the wake-up that came with the event")
    @Outcome(id = ".*, (none|.*late)", expect = FORBIDDEN, desc = "the leader was left behind")
    @Catches(value = "an unpark that a lock took is waited for", as = "(none|.*late), .*")
    @State
    public static class LockedOutAndGiven extends LockedOut {
        @Actor
        public void arrives() {
            arrive();
        }

        @Actor
        public void gives() {
            give();
        }

        @Arbiter
        public void result(LL_Result r) {
            look(r);
        }
    }
}
