package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.event.OnVirtualThread;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.RecordedFd;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.event.TimedWait;
import io.loomverbs.internal.soft.SoftCqRaces;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Groups of CQs: completions that come while threads wait, and CQs that join and leave. */
public class GroupRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    /** A group, a CQ, and a thread that waits for completions. */
    abstract static class Scene extends TimedWait {
        final CqGroup group = CqGroup.create();
        final CompletionQueue cq = CONTEXT.createDirectCq(4);

        final void complete() {
            SoftCqRaces.complete(cq.ops(), 1);
        }

        /** How many completions a wait for one got, as a word. */
        final String await() {
            return waitsAsVirtual(() -> got(Patience.time()));
        }

        /** The same without waiting. */
        final String poll() {
            return OnVirtualThread.call(() -> got(Duration.ZERO));
        }

        private String got(Duration patience) {
            GroupCompletions batch = GroupCompletions.allocate(4);
            return Taking.of(() -> "got " + group.await(batch, 1, patience));
        }

        /** What the CQ still has, and its events that no thread acknowledged. */
        final String left() {
            String left = "left " + cq.poll(WorkCompletions.allocate(4));
            return cq.unackedEvents() == 0 ? left : "unacknowledged";
        }

        final void end() {
            group.close();
            int kept = cq.unackedEvents();
            if (kept > 0) { // or the close would wait for them
                cq.ackEvents(kept);
            }
            cq.close();
        }
    }

    /** A group that has the CQ. */
    abstract static class Member extends Scene {
        Member() {
            group.add(cq);
        }
    }

    /** A thread waits while a member, a CQ that joins, or one that has joined gets a completion. */
    @JCStressTest
    @Outcome(id = "got 1, in time", expect = ACCEPTABLE, desc = "found, or told of")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a group does not poll after the arm", as = ".*, stuck")
    @Catches(value = "an event of a member lists it nowhere", as = ".*, stuck")
    @Catches(value = "a CQ that joins is not looked at", as = ".*, stuck")
    @Catches(value = "a member that is listed wakes no thread", as = ".*, stuck")
    @State
    public static class AwaitComplete extends Scene {
        private final int when = ThreadLocalRandom.current().nextInt(3);

        public AwaitComplete() {
            if (when == 0) {
                group.add(cq);
            }
        }

        @Actor
        public void await(LL_Result r) {
            r.r1 = await();
        }

        @Actor
        public void completeOne() {
            Taking.pauseUpTo(60_000); // before the arm, behind it, or once the thread is parked
            if (when == 1) {
                group.add(cq);
            }
            complete();
            if (when == 2) {
                group.add(cq);
            }
            woken();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = inTime();
            end();
        }
    }

    /** A CQ leaves while the group polls it, and gets a completion then. */
    @JCStressTest
    @Outcome(id = "got 0, left 1, free", expect = ACCEPTABLE, desc = "it is used no more")
    @Outcome(id = "got 1, .*", expect = FORBIDDEN, desc = "it was polled after it had left")
    @Outcome(id = ".*, lent", expect = FORBIDDEN, desc = "it has left, and cannot be awaited")
    @Catches(value = "a CQ leaves while it is polled", as = "got 1, .*")
    @Catches(value = "a CQ leaves without waiting for its thread", as = ".*, lent")
    @State
    public static class LeavePoll extends Member {
        @Actor
        public void poll(LLL_Result r) {
            r.r1 = poll();
        }

        @Actor
        public void leave(LLL_Result r) {
            group.remove(cq);
            r.r3 = "free";
            try {
                cq.direct().lendTo(Thread.currentThread());
                cq.direct().served(Thread.currentThread());
            } catch (IllegalStateException e) {
                r.r3 = "lent";
            }
            complete();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = left();
            end();
        }
    }

    /** A CQ leaves while its event is on the way to the group. */
    @JCStressTest
    @Outcome(id = "left 1, got 0", expect = ACCEPTABLE, desc = "it keeps its completion")
    @Outcome(id = "unacknowledged, .*", expect = FORBIDDEN, desc = "an event was kept")
    @Catches(value = "an event of a member is not acknowledged", as = "unacknowledged, .*")
    @State
    public static class LeaveEvent extends Member {
        public LeaveEvent() {
            poll(); // arms it
        }

        @Actor
        public void completeOne() {
            complete();
        }

        @Actor
        public void leave() {
            Taking.pauseUpTo(20_000);
            group.remove(cq);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = poll();
            r.r1 = left();
            end();
        }
    }

    /** A group is closed while a completion comes to one that waits. */
    @JCStressTest
    @Outcome(id = "got 1, left 0, in time", expect = ACCEPTABLE, desc = "returned before the end")
    @Outcome(id = "closed, left 1, in time", expect = ACCEPTABLE, desc = "the CQ keeps it")
    @Outcome(id = ".*, .*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "the end of a group wakes no thread", as = ".*, .*, stuck")
    @State
    public static class CloseComplete extends Member {
        @Actor
        public void await(LLL_Result r) {
            r.r1 = await();
        }

        @Actor
        public void completeAndClose() {
            boolean late = ThreadLocalRandom.current().nextBoolean();
            Taking.pauseUpTo(60_000);
            if (!late) {
                complete();
                Taking.pauseUpTo(20_000);
            }
            wakes(group::close);
            if (late) {
                complete();
            }
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r2 = left();
            r.r3 = inTime();
            end();
        }
    }

    /** A completion comes to a group with a descriptor while a thread looks for one. */
    @JCStressTest
    @Outcome(id = "got 1, shown, silent", expect = ACCEPTABLE, desc = "shown until it was taken")
    @Outcome(id = ".*, hidden, .*", expect = FORBIDDEN, desc = "the completion was not shown")
    @Outcome(id = ".*, readable", expect = FORBIDDEN, desc = "nothing is left to show")
    @Catches(value = "a member that is listed is not shown", as = ".*, hidden, .*")
    @Catches(value = "the descriptor of a group stays readable", as = ".*, readable")
    @State
    public static class ShowPoll extends Member {
        private final RecordedFd fd = new RecordedFd();
        private String got;

        public ShowPoll() {
            group.watch(fd);
            poll(); // arms it
            fd.forget();
        }

        @Actor
        public void completeOne() {
            complete();
        }

        @Actor
        public void pollOnce() {
            got = poll();
        }

        @Arbiter
        public void result(LLL_Result r) {
            long start = System.nanoTime();
            while (got.equals("got 0") && System.nanoTime() - start < Patience.nanos()) {
                got = poll();
            }
            r.r1 = got;
            r.r2 = fd.wasRaised() ? "shown" : "hidden";
            while (!poll().equals("got 0")) {
                Thread.onSpinWait();
            }
            r.r3 = fd.text();
            end();
        }
    }

    /** A CQ joins a group with a descriptor, or a group is given one, while the group is closed. */
    @JCStressTest
    @Outcome(id = "closed", expect = ACCEPTABLE, desc = "nothing uses the descriptor any more")
    @Outcome(id = "late", expect = FORBIDDEN, desc = "used when its number may be another's")
    @Outcome(id = "readable|silent", expect = FORBIDDEN, desc = "it was not closed")
    @Catches(value = "a closed group goes on using its descriptor", as = "late")
    @Catches(value = "a closed group is given a descriptor", as = "readable|silent")
    @State
    public static class JoinClose extends Scene {
        private final RecordedFd fd = new RecordedFd();
        private final boolean watched = ThreadLocalRandom.current().nextBoolean();

        public JoinClose() {
            if (watched) {
                group.watch(fd);
            }
        }

        @Actor
        public void joinOrWatch() {
            try {
                if (watched) {
                    group.add(cq);
                } else {
                    group.watch(fd);
                }
            } catch (ClosedException e) {
                // The close was first.
            }
        }

        @Actor
        public void close() {
            group.close();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = fd.text();
            end();
        }
    }
}
