package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.QueuedCq;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
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

    /** A descriptor in an epoll set, whose event is told while a thread waits. */
    abstract static class Polled {
        final TestPoller poller = new TestPoller();
        final EventFd fd;

        Polled(int events) {
            fd = new EventFd(poller, EventFds.create(events));
        }

        /** Whether a leader that comes by learns of an event; at the end. */
        String isTold() {
            fd.reads = 0;
            EventFds.signal(fd.fd());
            poller.look();
            end();
            return fd.reads > 0 ? "told" : "asleep";
        }

        /** What each thread has read. */
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
        private final TestPoller poller = new TestPoller();
        private final EventFd first;
        private final EventFd old;
        private EventFd fresh;

        Reused() {
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

    /** An event and its waiter. */
    abstract static class Awaited extends Polled {
        Awaited() {
            super(1);
            fd.join();
        }

        void destroy() {
            Taking.pauseUpTo(3_000);
            fd.destroy();
        }
    }

    /** An event that no thread has waited for up to now. */
    abstract static class Left extends Polled {
        Left() {
            super(1);
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
        private String what;
        private long begun;
        private long back;
        private long woken;

        Waited() {
            super(0);
            fd.cq = new QueuedCq(queue);
        }

        void receive() {
            begun = System.nanoTime();
            what = Taking.of(() -> queue.take(Patience.nanos()));
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
        private String otherWhat;

        void failAndReceive() {
            fail();
            otherWhat = Taking.of(() -> otherQueue.take(Patience.nanos()));
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

        Attached() {
            super(0);
            fd.broken = true;
        }

        void attach() {
            queue = EventQueue.shared(fd);
        }

        String result() {
            end();
            fd.unasked = true;
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
    @Catches(value = "numbers are used again", as = "new, .*")
    @State
    public static class LateWake extends Reused {
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
    @Catches(value = "a leader reads without the lock", as = "freed memory")
    @State
    public static class WakeDestroy extends Awaited {
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

    /** A thread that does not wait fetches an event while the descriptor is destroyed. */
    @JCStressTest
    @Outcome(id = "read", expect = ACCEPTABLE, desc = "the event was read before")
    @Outcome(id = "none", expect = ACCEPTABLE, desc = "it was gone before")
    @Outcome(id = "freed memory", expect = FORBIDDEN, desc = "read after it was destroyed")
    @Catches(value = "a fetch does not look whether the descriptor is open", as = "freed memory")
    @State
    public static class FetchDestroy extends Awaited {
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
            desc = "it waits in the kernel, and no thread wakes it")
    @Catches(value = "a leader takes wake-ups away before it waits", as = ".*(none|late)")
    @State
    public static class WaiterDestroy extends Waited {
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

    /** A thread comes to wait while a leader, which sees no waiter, leaves the descriptor alone. */
    @JCStressTest
    @Outcome(id = "told", expect = ACCEPTABLE, desc = "it is in the set again")
    @Outcome(
            id = "asleep",
            expect = FORBIDDEN,
            desc = "a thread waits, and no thread is told of events")
    @Catches(value = "a leader that disarms does not look again", as = "asleep")
    @Catches(value = "a waiter looks whether it is armed, then counts", as = "asleep")
    @State
    public static class JoinDisarm extends Left {
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
            desc = "a thread waits, and no thread is told of events")
    @Catches(value = "a refused destroy leaves the descriptor disarmed", as = "asleep")
    @State
    public static class JoinRefusedDestroy extends Left {
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
    @Outcome(id = "none", expect = FORBIDDEN, desc = "it is never told")
    @Catches(value = "a queue looks for a failure, then is attached", as = "none")
    @State
    public static class AttachFailure extends Attached {
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
            desc = "one waits, and no thread tells it")
    @Catches(
            value = "a failed wait is taken for an interrupted one",
            as = ".*(none|late|event|freed).*")
    @State
    public static class RegisterPollerFailure extends Failed {
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
