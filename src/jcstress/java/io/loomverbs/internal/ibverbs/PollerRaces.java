package io.loomverbs.internal.ibverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.QueuedCq;
import io.loomverbs.internal.event.Receiver;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;

/**
 * The poller's descriptors come, wake, and go, on real epoll sets. Actors lead themselves: what a
 * leader does in the kernel is one call of theirs.
 */
public class PollerRaces {

    /** A descriptor in an epoll set, whose event is told while a thread waits. */
    abstract static class Polled {
        final TestPoller poller = new TestPoller();
        final WatchedFd fd;

        Polled(int events) {
            fd = new WatchedFd(poller, Posix.eventFd(events));
        }

        /** What each thread has read. */
        final String reads() {
            end();
            return fd.wasReadWhenDestroyed() ? "freed memory" : fd.reads > 0 ? "read" : "none";
        }

        final void end() {
            Posix.close(fd.fd());
            poller.close();
        }
    }

    /** A thread that waits in the kernel, and what it is told. */
    abstract static class Waited extends Polled {
        final EventQueue queue = EventQueue.shared(fd);
        final Receiver waiter = new Receiver(queue);

        Waited() {
            super(0);
            fd.cq = new QueuedCq(queue);
        }

        final void wakes(Runnable wake) {
            Taking.pauseUpTo(20_000);
            waiter.wakes(wake);
        }

        final String result() {
            return reads().equals("freed memory") ? "freed memory" : waiter.result();
        }
    }

    /**
     * The kernel has told a leader of two descriptors; while it is busy with the first, the second
     * is closed, and a new one gets its number and its place.
     */
    @JCStressTest
    @Outcome(id = "(none|old), told", expect = ACCEPTABLE, desc = "the old one was read, or gone")
    @Outcome(id = "new, .*", expect = FORBIDDEN, desc = "taken for an event of the new descriptor")
    @Catches(value = "numbers are used again", as = "new, .*")
    @State
    public static class LateWake {
        private final TestPoller poller = new TestPoller();
        private final WatchedFd first =
                new WatchedFd(poller, Posix.eventFd(1)) {
                    @Override
                    int read() {
                        Taking.pauseUpTo(4_000);
                        return super.read();
                    }
                };
        private final WatchedFd old = new WatchedFd(poller, Posix.eventFd(1));
        private WatchedFd fresh;

        public LateWake() {
            first.join();
            old.join();
        }

        @Actor
        public void leader() {
            poller.look();
        }

        @Actor
        public void replacer() {
            Taking.pauseUpTo(4_000);
            old.destroyForReuse(Posix.eventFd(0));
            old.leave();
            fresh = new WatchedFd(poller, old.fd());
            fresh.join();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = fresh.reads > 0 ? "new" : old.reads > 0 ? "old" : "none";
            if (old.wasReadWhenDestroyed()) {
                r.r1 = "freed memory";
            }
            fresh.reads = 0;
            Posix.signal(fresh.fd());
            poller.look();
            r.r2 = fresh.reads > 0 ? "told" : "deaf";
            Posix.close(first.fd());
            Posix.close(fresh.fd());
            poller.close();
        }
    }

    /** A leader, or a thread that does not wait, reads while the descriptor is destroyed. */
    @JCStressTest
    @Outcome(id = "read|none", expect = ACCEPTABLE, desc = "the event was read before, or gone")
    @Outcome(id = "freed memory", expect = FORBIDDEN, desc = "read after it was destroyed")
    @Catches(value = "a leader reads without the lock", as = "freed memory")
    @Catches(value = "a fetch does not look whether the descriptor is open", as = "freed memory")
    @State
    public static class WakeDestroy extends Polled {
        private final boolean leads = ThreadLocalRandom.current().nextBoolean();

        public WakeDestroy() {
            super(1);
            fd.join();
        }

        @Actor
        public void look() {
            if (leads) {
                poller.look();
            } else {
                fd.fetch();
            }
        }

        @Actor
        public void destroy() {
            Taking.pauseUpTo(3_000);
            fd.destroy();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = reads();
        }
    }

    /** A thread comes to wait in the kernel while the channel is closed. */
    @JCStressTest
    @Outcome(id = "(event|ended)", expect = ACCEPTABLE, desc = "it was woken")
    @Outcome(id = ".*(none|late)", expect = FORBIDDEN, desc = "no thread woke it in the kernel")
    @Catches(value = "a leader takes wake-ups away before it waits", as = ".*(none|late)")
    @State
    public static class WaiterDestroy extends Waited {
        @Actor
        public void waiter() {
            waiter.receive();
        }

        @Actor
        public void closer() {
            wakes(this::close);
        }

        /** In half of all cases with an event that has just come up. */
        private void close() {
            if (System.nanoTime() % 2 == 0) {
                Posix.signal(fd.fd());
            }
            fd.destroy();
            queue.end(null);
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = result();
        }
    }

    /**
     * A thread comes to wait while a leader, which sees no waiter, leaves the descriptor alone, or
     * while a destroy is refused.
     */
    @JCStressTest
    @Outcome(id = "told", expect = ACCEPTABLE, desc = "it is in the set")
    @Outcome(id = "asleep", expect = FORBIDDEN, desc = "a thread waits, and is not told of events")
    @Catches(value = "a leader that disarms does not look again", as = "asleep")
    @Catches(value = "a waiter looks whether it is armed, then counts", as = "asleep")
    @Catches(value = "a refused destroy leaves the descriptor disarmed", as = "asleep")
    @State
    public static class JoinDisarm extends Polled {
        private final boolean leads = ThreadLocalRandom.current().nextBoolean();

        public JoinDisarm() {
            super(1);
            fd.arm();
        }

        @Actor
        public void lookOrDestroy() {
            if (leads) {
                poller.look();
            } else {
                fd.destroyInVain();
            }
        }

        @Actor
        public void waiter() {
            Taking.pauseUpTo(3_000);
            fd.join();
        }

        /** Whether a leader that comes by learns of an event. */
        @Arbiter
        public void result(L_Result r) {
            fd.reads = 0;
            Posix.signal(fd.fd());
            poller.look();
            end();
            r.r1 = fd.reads > 0 ? "told" : "asleep";
        }
    }

    /** A queue begins to use a descriptor that fails. */
    @JCStressTest
    @Outcome(id = "ended", expect = ACCEPTABLE, desc = "it was told")
    @Outcome(id = "none", expect = FORBIDDEN, desc = "it is never told")
    @Catches(value = "a queue looks for a failure, then is attached", as = "none")
    @State
    public static class AttachFailure extends Polled {
        private EventQueue queue;

        public AttachFailure() {
            super(0);
            fd.broken = true;
        }

        @Actor
        public void fetcher() {
            fd.fetch();
        }

        @Actor
        public void creator() {
            queue = EventQueue.shared(fd);
        }

        @Arbiter
        public void result(L_Result r) {
            end();
            fd.unasked = true;
            r.r1 = Taking.of(queue::tryTake);
        }
    }

    /** The poller fails while one thread comes to wait; another comes afterwards. */
    @JCStressTest
    @Outcome(id = "ended, ended", expect = ACCEPTABLE, desc = "both were told")
    @Outcome(id = ".*(none|late).*", expect = FORBIDDEN, desc = "one was not told")
    @Catches(value = "a failed wait is taken for an interrupted one", as = ".*(none|late).*")
    @State
    public static class RegisterPollerFailure extends Waited {
        private final WatchedFd other = new WatchedFd(poller, Posix.eventFd(0));
        private final EventQueue otherQueue = EventQueue.shared(other);

        @Actor
        public void waiter() {
            waiter.receive();
        }

        @Actor
        public void failure(LL_Result r) {
            wakes(poller::destroy);
            r.r2 = new Receiver(otherQueue).receive();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = result();
            Posix.close(other.fd());
        }
    }
}
