package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.event.CqEvents;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * The poller's descriptors come, wake, and go, on real epoll sets. Actors lead themselves: what a
 * leader does in the kernel is one call of theirs.
 */
public class PollerRaces {

    /** A descriptor in an epoll set, of which an event is told while somebody waits. */
    abstract static class Polled {
        final TestPoller poller;
        final EventFd fd;

        Polled(TestPoller.Fault pollers, EventFd.Fault fault, int events) {
            poller = new TestPoller(pollers);
            fd = new EventFd(poller, EventFds.create(events), fault);
        }

        Polled(EventFd.Fault fault, int events) {
            this(TestPoller.Fault.NONE, fault, events);
        }

        /** Whether a leader that comes by learns of an event; at the end. */
        String isTold() {
            fd.reads = 0;
            EventFds.signal(fd.fd());
            poller.look();
            end();
            return fd.reads > 0 ? "told" : "asleep";
        }

        /** What was read by whom. */
        String reads() {
            end();
            return fd.wasReadWhenDestroyed() ? "freed memory" : fd.reads > 0 ? "read" : "none";
        }

        void end() {
            EventFds.close(fd.fd());
            poller.close();
        }
    }

    /**
     * The kernel has told a leader of two descriptors; while it is busy with the first, the second
     * is closed, and a new one gets its number and its place.
     */
    abstract static class Reused {
        private final TestPoller poller;
        private final EventFd first;
        private final EventFd old;
        private EventFd fresh;

        Reused(TestPoller.Fault fault) {
            poller = new TestPoller(fault);
            first =
                    new EventFd(poller, EventFds.create(1)) {
                        @Override
                        int read() {
                            Taking.pauseUpTo(4_000);
                            return super.read();
                        }
                    };
            old = new EventFd(poller, EventFds.create(1));
            first.join();
            old.join();
        }

        void lead() {
            poller.look();
        }

        void replace() {
            Taking.pauseUpTo(4_000);
            old.destroyForReuse(EventFds.create(0));
            old.leave();
            fresh = new EventFd(poller, old.fd());
            fresh.join();
        }

        void judge(LL_Result r) {
            r.r1 = fresh.reads > 0 ? "new" : old.reads > 0 ? "old" : "none";
            if (old.wasReadWhenDestroyed()) {
                r.r1 = "freed memory";
            }
            fresh.reads = 0;
            EventFds.signal(fresh.fd());
            poller.look();
            r.r2 = fresh.reads > 0 ? "told" : "deaf";
            EventFds.close(first.fd());
            EventFds.close(fresh.fd());
            poller.close();
        }
    }

    /** An event, and whoever waits. */
    abstract static class Awaited extends Polled {
        Awaited(EventFd.Fault fault) {
            super(fault, 1);
            fd.join();
        }

        void destroy() {
            Taking.pauseUpTo(3_000);
            fd.destroy();
        }
    }

    /** An event that nobody has waited for up to now. */
    abstract static class Left extends Polled {
        Left(EventFd.Fault fault) {
            super(fault, 1);
            fd.arm();
        }

        void join() {
            Taking.pauseUpTo(3_000);
            fd.join();
        }
    }

    /** A thread that waits in the kernel, and what it is told. */
    abstract static class Waited extends Polled {
        private final EventQueue queue = EventQueue.shared(fd);
        private final long patience;
        private String what;
        private long begun;
        private long back;
        private long woken;

        Waited(TestPoller.Fault fault) {
            super(fault, EventFd.Fault.NONE, 0);
            patience =
                    fault == TestPoller.Fault.NONE ? Patience.ENDLESS_NANOS : Patience.twinNanos();
            fd.cq = new CqEvents(queue, "cq");
        }

        void receive() {
            begun = System.nanoTime();
            what = Taking.of(() -> queue.take(patience));
            back = System.nanoTime();
        }

        /** The channel is closed, in half of all cases with an event that has just come up. */
        void close() {
            Taking.pauseUpTo(20_000);
            if ((woken = System.nanoTime()) % 2 == 0) {
                EventFds.signal(fd.fd());
            }
            fd.destroy();
            queue.end(null);
            woken = System.nanoTime();
        }

        /** The poller fails. */
        void fail() {
            Taking.pauseUpTo(20_000);
            poller.destroy();
            woken = System.nanoTime();
        }

        String result() {
            String late = Patience.late(begun, woken, back) ? " late" : "";
            return reads().equals("freed memory") ? "freed memory" : what + late;
        }
    }

    /** One waits already, or comes to; another comes when the poller has failed. */
    abstract static class Failed extends Waited {
        private final EventFd other = new EventFd(poller, EventFds.create(0));
        private final EventQueue otherQueue = EventQueue.shared(other);
        private final long otherPatience;
        private String otherWhat;

        Failed(TestPoller.Fault fault) {
            super(fault);
            otherPatience =
                    fault == TestPoller.Fault.NONE ? Patience.ENDLESS_NANOS : Patience.twinNanos();
        }

        void failAndReceive() {
            fail();
            otherWhat = Taking.of(() -> otherQueue.take(otherPatience));
        }

        void judge(LL_Result r) {
            r.r1 = result();
            r.r2 = otherWhat;
            EventFds.close(other.fd());
        }
    }

    /** A descriptor that fails while a queue begins to use it. */
    abstract static class Attached extends Polled {
        private EventQueue queue;

        Attached(EventFd.Fault fault) {
            super(fault, 0);
            fd.broken = true;
        }

        void attach() {
            queue = EventQueue.shared(fd);
        }

        String result() {
            end();
            return Taking.of(queue::tryTake);
        }
    }

    /** A late event of a descriptor that is gone, whose number and place a new one has. */
    @JCStressTest
    @Outcome(
            id = "(none|old), told",
            expect = ACCEPTABLE,
            desc = "the old one was read, or it is gone")
    @Outcome(
            id = "new, .*",
            expect = FORBIDDEN,
            desc = "the event is taken for one of the new descriptor")
    @Outcome(
            id = ".*, deaf",
            expect = FORBIDDEN,
            desc = "events of the new descriptor are not told")
    @Outcome(id = "freed memory, .*", expect = FORBIDDEN, desc = "read after it was destroyed")
    @State
    public static class LateWake extends Reused {
        public LateWake() {
            super(TestPoller.Fault.NONE);
        }

        @Actor
        public void leader() {
            lead();
        }

        @Actor
        public void replacer() {
            replace();
        }

        @Arbiter
        public void result(LL_Result r) {
            judge(r);
        }
    }

    /** Numbers are used again. */
    @JCStressTest
    @JCStressMeta(LateWake.class)
    @State
    public static class LateWakeBrokenTwin extends Reused {
        public LateWakeBrokenTwin() {
            super(TestPoller.Fault.NO_GENERATIONS);
        }

        @Actor
        public void leader() {
            lead();
        }

        @Actor
        public void replacer() {
            replace();
        }

        @Arbiter
        public void result(LL_Result r) {
            judge(r);
        }
    }

    /** A leader is told of an event while the descriptor is destroyed. */
    @JCStressTest
    @Outcome(id = "read", expect = ACCEPTABLE, desc = "the event was read before")
    @Outcome(id = "none", expect = ACCEPTABLE, desc = "it was gone before")
    @Outcome(id = "freed memory", expect = FORBIDDEN, desc = "read after it was destroyed")
    @State
    public static class WakeDestroy extends Awaited {
        public WakeDestroy() {
            super(EventFd.Fault.NONE);
        }

        @Actor
        public void leader() {
            poller.look();
        }

        @Actor
        public void destroyer() {
            destroy();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = reads();
        }
    }

    /** The leader reads without the lock. */
    @JCStressTest
    @JCStressMeta(WakeDestroy.class)
    @State
    public static class WakeDestroyBrokenTwin extends Awaited {
        public WakeDestroyBrokenTwin() {
            super(EventFd.Fault.READY_WITHOUT_LOCK);
        }

        @Actor
        public void leader() {
            poller.look();
        }

        @Actor
        public void destroyer() {
            destroy();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = reads();
        }
    }

    /** Somebody who does not wait fetches an event while the descriptor is destroyed. */
    @JCStressTest
    @Outcome(id = "read", expect = ACCEPTABLE, desc = "the event was read before")
    @Outcome(id = "none", expect = ACCEPTABLE, desc = "it was gone before")
    @Outcome(id = "freed memory", expect = FORBIDDEN, desc = "read after it was destroyed")
    @State
    public static class FetchDestroy extends Awaited {
        public FetchDestroy() {
            super(EventFd.Fault.NONE);
        }

        @Actor
        public void fetcher() {
            fd.fetch();
        }

        @Actor
        public void destroyer() {
            destroy();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = reads();
        }
    }

    /** Who fetches does not look whether it is closed. */
    @JCStressTest
    @JCStressMeta(FetchDestroy.class)
    @State
    public static class FetchDestroyBrokenTwin extends Awaited {
        public FetchDestroyBrokenTwin() {
            super(EventFd.Fault.FETCH_DOES_NOT_LOOK);
        }

        @Actor
        public void fetcher() {
            fd.fetch();
        }

        @Actor
        public void destroyer() {
            destroy();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = reads();
        }
    }

    /** A thread comes to wait in the kernel while the channel is closed. */
    @JCStressTest
    @Outcome(id = "(event|ended)", expect = ACCEPTABLE, desc = "it was woken")
    @Outcome(id = "freed memory", expect = FORBIDDEN, desc = "read after it was destroyed")
    @Outcome(
            id = ".*(none|late)",
            expect = FORBIDDEN,
            desc = "it waits in the kernel, and nobody wakes it")
    @State
    public static class WaiterDestroy extends Waited {
        public WaiterDestroy() {
            super(TestPoller.Fault.NONE);
        }

        @Actor
        public void waiter() {
            receive();
        }

        @Actor
        public void closer() {
            close();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = result();
        }
    }

    /** A leader takes wake-ups away before it waits. */
    @JCStressTest
    @JCStressMeta(WaiterDestroy.class)
    @State
    public static class WaiterDestroyBrokenTwin extends Waited {
        public WaiterDestroyBrokenTwin() {
            super(TestPoller.Fault.DRAINS_FIRST);
        }

        @Actor
        public void waiter() {
            receive();
        }

        @Actor
        public void closer() {
            close();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = result();
        }
    }

    /** A thread comes to wait while a leader, who sees nobody wait, leaves the descriptor alone. */
    @JCStressTest
    @Outcome(id = "told", expect = ACCEPTABLE, desc = "it is in the set again")
    @Outcome(
            id = "asleep",
            expect = FORBIDDEN,
            desc = "somebody waits, and nobody is told of events")
    @State
    public static class JoinDisarm extends Left {
        public JoinDisarm() {
            super(EventFd.Fault.NONE);
        }

        @Actor
        public void leader() {
            poller.look();
        }

        @Actor
        public void waiter() {
            join();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = isTold();
        }
    }

    /** The leader does not look again whether anybody waits. */
    @JCStressTest
    @JCStressMeta(JoinDisarm.class)
    @State
    public static class JoinDisarmLookBrokenTwin extends Left {
        public JoinDisarmLookBrokenTwin() {
            super(EventFd.Fault.NO_SECOND_LOOK);
        }

        @Actor
        public void leader() {
            poller.look();
        }

        @Actor
        public void waiter() {
            join();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = isTold();
        }
    }

    /** The waiter looks whether it is in the set, then counts itself. */
    @JCStressTest
    @JCStressMeta(JoinDisarm.class)
    @State
    public static class JoinDisarmCountBrokenTwin extends Left {
        public JoinDisarmCountBrokenTwin() {
            super(EventFd.Fault.JOIN_LOOKS_FIRST);
        }

        @Actor
        public void leader() {
            poller.look();
        }

        @Actor
        public void waiter() {
            join();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = isTold();
        }
    }

    /** A thread comes to wait while a destroy is refused. */
    @JCStressTest
    @Outcome(id = "told", expect = ACCEPTABLE, desc = "it is in the set")
    @Outcome(
            id = "asleep",
            expect = FORBIDDEN,
            desc = "somebody waits, and nobody is told of events")
    @State
    public static class JoinRefusedDestroy extends Left {
        public JoinRefusedDestroy() {
            super(EventFd.Fault.NONE);
        }

        @Actor
        public void destroyer() {
            fd.destroyInVain();
        }

        @Actor
        public void waiter() {
            join();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = isTold();
        }
    }

    /** A destroy that was refused leaves it out of the set. */
    @JCStressTest
    @JCStressMeta(JoinRefusedDestroy.class)
    @State
    public static class JoinRefusedDestroyBrokenTwin extends Left {
        public JoinRefusedDestroyBrokenTwin() {
            super(EventFd.Fault.REFUSAL_DOES_NOT_ARM);
        }

        @Actor
        public void destroyer() {
            fd.destroyInVain();
        }

        @Actor
        public void waiter() {
            join();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = isTold();
        }
    }

    /** A queue begins to use a descriptor that fails. */
    @JCStressTest
    @Outcome(id = "ended", expect = ACCEPTABLE, desc = "it was told")
    @Outcome(id = "none", expect = FORBIDDEN, desc = "nobody tells it, ever")
    @State
    public static class AttachFailure extends Attached {
        public AttachFailure() {
            super(EventFd.Fault.NONE);
        }

        @Actor
        public void fetcher() {
            fd.fetch();
        }

        @Actor
        public void creator() {
            attach();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = result();
        }
    }

    /** The queue looks whether it has failed, then is attached. */
    @JCStressTest
    @JCStressMeta(AttachFailure.class)
    @State
    public static class AttachFailureBrokenTwin extends Attached {
        public AttachFailureBrokenTwin() {
            super(EventFd.Fault.ATTACH_LOOKS_FIRST);
        }

        @Actor
        public void fetcher() {
            fd.fetch();
        }

        @Actor
        public void creator() {
            attach();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = result();
        }
    }

    /** The poller fails while one thread comes to wait; another comes afterwards. */
    @JCStressTest
    @Outcome(id = "ended, ended", expect = ACCEPTABLE, desc = "both were told")
    @Outcome(
            id = ".*(none|late|event|freed).*",
            expect = FORBIDDEN,
            desc = "one waits, and nobody tells it")
    @State
    public static class RegisterPollerFailure extends Failed {
        public RegisterPollerFailure() {
            super(TestPoller.Fault.NONE);
        }

        @Actor
        public void waiter() {
            receive();
        }

        @Actor
        public void failure() {
            failAndReceive();
        }

        @Arbiter
        public void result(LL_Result r) {
            judge(r);
        }
    }

    /** A wait that has failed is taken for one that was interrupted. */
    @JCStressTest
    @JCStressMeta(RegisterPollerFailure.class)
    @State
    public static class RegisterPollerFailureBrokenTwin extends Failed {
        public RegisterPollerFailureBrokenTwin() {
            super(TestPoller.Fault.SWALLOWS_FAILURES);
        }

        @Actor
        public void waiter() {
            receive();
        }

        @Actor
        public void failure() {
            failAndReceive();
        }

        @Arbiter
        public void result(LL_Result r) {
            judge(r);
        }
    }
}
