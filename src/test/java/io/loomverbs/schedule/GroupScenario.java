package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.CqGroup;
import io.loomverbs.GroupCompletions;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.soft.FreshDevice;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Threads take completions from a group while CQs join and leave it, and then close it; or another
 * thread closes it first. Each completion is returned once or stays in its CQ, and a thread that
 * waits gets what there is. A thread that awaits a CQ when it joins takes one completion away.
 */
final class GroupScenario implements Scenario {
    private static final int QKEY = 1;
    private static final int MOST = 16;

    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    /** A CQ with its queue pair. */
    private record Member(CompletionQueue cq, QueuePair qp, BitSet taken, int posts) {}

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final AddressHandle self = pd.createAh(AhAttributes.of(context.gid(1, 0), 0));
        private final CqGroup group = CqGroup.create();
        private final List<Member> members = new ArrayList<>();
        private final boolean closesEarly;
        private int expected;
        private boolean closed;

        Play(Schedule schedule) {
            this.schedule = schedule;
            closesEarly = schedule.oneIn(3);
        }

        void run() {
            for (int n = schedule.between(1, 3); n > 0; n--) {
                Member member = create(schedule.between(1, 3));
                members.add(member);
                expected += member.posts;
                schedule.thread("poster " + n, () -> post(member));
                schedule.thread("joiner " + n, () -> join(member));
                if (schedule.oneIn(3)) {
                    schedule.thread("stray " + n, () -> takeOne(member));
                }
            }
            for (int n = schedule.between(1, 2); n > 0; n--) {
                schedule.thread("taker " + n, this::takeAll);
            }
            if (closesEarly) {
                schedule.thread("closer", this::close);
            }
            schedule.run();
            check(closed, "the end has not come");
            check(group.size() == 0, "members are left");
            members.forEach(this::close);
            self.close();
            pd.close();
            context.close();
        }

        private Member create(int posts) {
            CompletionQueue cq = context.createDirectCq(MOST);
            QueuePair qp = pd.createQp(QpConfig.of(QpType.UD, cq));
            qp.activate(QKEY);
            return new Member(cq, qp, new BitSet(), posts);
        }

        private void post(Member member) {
            for (int i = 0; i < member.posts; i++) {
                member.qp.postSend(
                        SendWorkRequest.allocate(1, 0)
                                .wrId(i)
                                .send()
                                .to(self, member.qp.qpNum(), QKEY)
                                .signaled());
            }
        }

        /** The CQ joins, and in some schedules leaves and joins once more. */
        private void join(Member member) {
            try {
                group.add(member.cq);
                if (schedule.oneIn(2)) {
                    schedule.pause();
                    if (group.remove(member.cq)) {
                        checkIsFree(member.cq);
                        group.add(member.cq);
                    }
                }
            } catch (ClosedException e) {
                check(closed, "closed by no thread");
            }
        }

        private static void checkIsFree(CompletionQueue cq) {
            try {
                CqEvent event = cq.tryGetCqEvent(); // only a stray receives besides
                if (event != null) {
                    event.close();
                }
            } catch (IllegalStateException e) {
                throw new AssertionError("it has left, and is still lent", e);
            }
        }

        private void takeAll() throws InterruptedException {
            GroupCompletions batch = GroupCompletions.allocate(4);
            try {
                while (taken() < expected) {
                    if (schedule.oneIn(3)) {
                        group.await(batch, schedule.between(1, 4), schedule.timeout());
                    } else {
                        group.await(batch);
                        check(!batch.completions().isEmpty(), "it has waited for nothing");
                    }
                    mark(batch);
                }
            } catch (ClosedException e) {
                check(closed, "closed by no thread");
            }
            close();
        }

        /** Takes a completion of a CQ that may join meanwhile, and leaves others. */
        private void takeOne(Member member) throws InterruptedException {
            WorkCompletions one = WorkCompletions.allocate(1);
            try {
                member.cq.await(one, 1, schedule.timeout());
            } catch (IllegalStateException e) {
                return; // it has joined
            }
            if (!one.isEmpty()) {
                mark(member, (int) one.wrId(0));
                if (taken() == expected) {
                    close(); // others may wait for it
                }
            }
        }

        private int taken() {
            return members.stream().mapToInt(member -> member.taken.cardinality()).sum();
        }

        private void close() {
            closed = true;
            group.close();
        }

        private void mark(GroupCompletions batch) {
            for (int i = 0; i < batch.completions().size(); i++) {
                CompletionQueue from = batch.cq(i);
                Member member =
                        members.stream().filter(m -> m.cq == from).findFirst().orElseThrow();
                mark(member, (int) batch.completions().wrId(i));
            }
        }

        private static void mark(Member member, int id) {
            check(!member.taken.get(id), "request " + id + " has completed twice");
            member.taken.set(id);
        }

        private void close(Member member) {
            WorkCompletions rest = WorkCompletions.allocate(MOST);
            int left = member.cq.poll(rest);
            check(left == 0 || closesEarly, "completions that were not returned");
            for (int i = 0; i < left; i++) {
                mark(member, (int) rest.wrId(i));
            }
            int taken = member.taken.cardinality();
            check(taken == member.posts, taken + " completions of " + member.posts);
            check(member.cq.unackedEvents() == 0, "an event was not acknowledged");
            member.qp.close();
            member.cq.close();
        }
    }
}
