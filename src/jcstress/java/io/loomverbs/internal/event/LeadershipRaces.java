package io.loomverbs.internal.event;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Of the threads that wait where events have to be fetched, one leads, and none is left behind. */
public class LeadershipRaces {

    /** Two queues whose threads take turns to lead, and a CQ of each. */
    abstract static class Two {
        final InMemorySource source = new InMemorySource();
        final EventQueue a = EventQueue.shared(source);
        final EventQueue b = EventQueue.shared(source);
        final QueuedCq cqA = new QueuedCq(a);
        final QueuedCq cqB = new QueuedCq(b);
    }

    /** A leader is interrupted while the follower's event comes up. */
    @JCStressTest
    @Outcome(id = "interrupted, event", expect = ACCEPTABLE, desc = "whichever thread fetched it")
    @Outcome(id = ".*, (none|.*late)", expect = FORBIDDEN, desc = "the follower was left behind")
    @Outcome(id = "(none|event|\\w+ late).*", expect = FORBIDDEN, desc = "the leader waited on")
    @Catches(value = "a thread that leaves the lead appoints no thread", as = ".*, (none|.*late)")
    @Catches(value = "an interrupt does not reach the kernel", as = "(none|event|\\w+ late).*")
    @State
    public static class LeaderInterrupted extends Two {
        private final Receiver leader = new Receiver(a).started();
        private final Receiver follower = new Receiver(b).started();

        @Actor
        public void interrupt() {
            leader.wakes(leader::interrupt);
        }

        @Actor
        public void event() {
            follower.wakes(() -> source.add(cqB::raise));
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = leader.result();
            r.r2 = follower.result();
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
            r.r1 = Receiver.receiveAtOnce(a);
        }

        @Actor
        public void arrives(LL_Result r) {
            r.r2 = Receiver.receiveAtOnce(b);
        }
    }

    /** A thread takes the lead while another raises an event for it, as a failed close does. */
    @JCStressTest
    @Outcome(id = "event", expect = ACCEPTABLE, desc = "received")
    @Outcome(id = "(none|.*late)", expect = FORBIDDEN, desc = "it did not reach the leader")
    @Catches(value = "a leader that is given something stays", as = "(none|.*late)")
    @Catches(value = "a leader that was served goes to wait", as = "(none|.*late)")
    @State
    public static class GivenFromElsewhere extends Two {
        private final Receiver taker = new Receiver(a);

        @Actor
        public void take(L_Result r) {
            r.r1 = taker.orLate(OnVirtualThread.call(taker::receive));
        }

        @Actor
        public void raise() {
            taker.wakesAsVirtual(cqA::raise);
        }
    }

    /** The device fails while a thread comes to wait, and another waits already. */
    @JCStressTest
    @Outcome(id = "ended, ended", expect = ACCEPTABLE, desc = "both learn of it")
    @Outcome(id = ".*(none|late).*", expect = FORBIDDEN, desc = "one waits for a failed device")
    @Catches(value = "a thread that leaves the lead appoints no thread", as = ".*(none|late).*")
    @State
    public static class FailureWaiterArrives extends Two {
        private final Receiver waiter = new Receiver(b).started();
        private final Receiver arrived = new Receiver(a);

        @Actor
        public void arrives() {
            OnVirtualThread.run(arrived::receive);
        }

        @Actor
        public void fails() {
            arrived.wakes(() -> waiter.wakes(this::fail));
        }

        private void fail() {
            source.fail(new IllegalStateException("failed"));
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = arrived.result();
            r.r2 = waiter.result();
        }
    }

    /**
     * A leader waits in one queue, another thread comes to wait in the other, and is given an event
     * while it waits for the lock of the list of queues.
     */
    @JCStressTest
    @Outcome(id = "event, event", expect = ACCEPTABLE, desc = "both got theirs")
    @Outcome(id = "(none|.*late), .*", expect = FORBIDDEN, desc = "the lock used up its wake-up")
    @Catches(value = "an unpark that a lock took is waited for", as = "(none|.*late), .*")
    @State
    public static class LockedOutAndGiven extends Two {
        private final EventQueue other = EventQueue.shared(source);
        private final Receiver leader = new Receiver(b).started();
        private final Receiver arrived = new Receiver(a);
        private final Meeting meeting = new Meeting();

        @Actor
        public void arrives() {
            OnVirtualThread.run(
                    () -> {
                        meeting.await();
                        arrived.receive();
                    });
        }

        @Actor
        public void gives() {
            int turns = ThreadLocalRandom.current().nextInt(20);
            meeting.await();
            keepLocked(turns);
            arrived.wakes(cqA::raise);
            keepLocked(2);
        }

        private void keepLocked(int turns) {
            for (int i = 0; i < turns; i++) {
                source.leadership().enlist(other);
                source.leadership().forget(other);
            }
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = arrived.result();
            leader.wakes(() -> source.add(cqB::raise));
            r.r2 = leader.result();
        }
    }

    /** A queue ends while a thread that waited in it enlists it: nothing that lasts keeps it. */
    @JCStressTest
    @Outcome(id = "forgotten", expect = ACCEPTABLE, desc = "in either order")
    @Outcome(id = "kept", expect = FORBIDDEN, desc = "an ended queue stays in the list")
    @Catches(value = "a queue that has ended is enlisted", as = "kept")
    @State
    public static class EndEnlist extends Two {
        @Actor
        public void end() {
            a.end(null);
        }

        @Actor
        public void enlist() {
            source.leadership().enlist(a);
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = source.leadership().hasFollowers() ? "kept" : "forgotten";
        }
    }

    /** The thread that watches over leaders ends while a leader that may block comes. */
    @JCStressTest
    @Outcome(id = "blocks, stays", expect = ACCEPTABLE, desc = "it is watched over")
    @Outcome(id = "asks, .*", expect = ACCEPTABLE, desc = "it has the watch begin anew")
    @Outcome(id = "blocks, ended", expect = FORBIDDEN, desc = "no thread watches over it")
    @Catches(value = "the watch looks whether a thread leads, then ends", as = "blocks, ended")
    @State
    public static class WatchEnds implements Carriers.Borrower {
        private final CarrierWatch watch = new CarrierWatch(null, Duration.ZERO);
        private volatile boolean leads;

        public WatchEnds() {
            watch.add(new SchedulerCarriers(null, null, null), this);
            watch.on = true;
        }

        @Override
        public boolean isBlocking() {
            return leads;
        }

        @Override
        public void askAgain() {
            throw new AssertionError("no thread looks");
        }

        @Actor
        public void leader(LL_Result r) {
            leads = true;
            r.r1 = watch.isOn() ? "blocks" : "asks";
        }

        @Actor
        public void watch(LL_Result r) {
            r.r2 = watch.end() ? "ended" : "stays";
        }
    }
}
