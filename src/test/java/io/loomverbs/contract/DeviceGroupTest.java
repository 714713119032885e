package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqGroup;
import io.loomverbs.GroupCompletions;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Groups of CQs: thresholds, fairness, members that come and go, and the end. */
class DeviceGroupTest extends DeviceContract {
    private final CqGroup group = f.own(CqGroup.create());
    private final GroupCompletions some = GroupCompletions.allocate(64);

    private CompletionQueue member() {
        CompletionQueue cq = f.direct();
        group.add(cq);
        return cq;
    }

    /** What the batch holds, as CQ and number of the request. */
    private Map<CompletionQueue, List<Long>> got() {
        Map<CompletionQueue, List<Long>> got = new HashMap<>();
        for (int i = 0; i < some.completions().size(); i++) {
            got.computeIfAbsent(some.cq(i), cq -> new ArrayList<>())
                    .add(some.completions().wrId(i));
        }
        return got;
    }

    private int await(int min) throws InterruptedException {
        return group.await(some, min, Fixture.PATIENCE);
    }

    /** A completion of any member ends a wait, and the batch says whose it is. */
    @Test
    void oneOfMany() throws Exception {
        List<CompletionQueue> cqs = List.of(member(), member(), member());
        assertThat(group.size()).isEqualTo(3);
        for (int round = 0; round < 3; round++) {
            for (CompletionQueue cq : cqs) {
                Source source = f.source(cq);
                Fixture.Task<Integer> waiter = f.start("waiter", () -> await(1)).parked();
                source.complete(7);
                assertThat(waiter.get()).isOne();
                assertThat(got()).isEqualTo(Map.of(cq, List.of(7L)));
                assertThat(some.completions().size()).isOne();
            }
        }
        assertThat(group.await(some, 1, Duration.ZERO)).isZero();
    }

    /** Members of several contexts, with completions from before they joined. */
    @Test
    @SuppressWarnings("try") // joins threads, which may be interrupted
    void membersOfSeveralContexts() throws Exception {
        try (Fixture other = new Fixture()) {
            CompletionQueue here = f.direct();
            CompletionQueue there = other.direct();
            f.source(here).complete(1);
            other.source(there).complete(2);
            group.add(here);
            group.add(there);
            assertThat(await(2)).isEqualTo(2);
            assertThat(got()).isEqualTo(Map.of(here, List.of(1L), there, List.of(2L)));
            assertThat(group.remove(there)).isTrue();
        }
    }

    /** The minimum is over the group; a wait that has less by its deadline returns that. */
    @Test
    void aThreshold() throws Exception {
        Source one = f.source(member());
        Source two = f.source(member());
        Fixture.Task<Integer> waiter = f.start("waiter", () -> await(5)).parked();
        for (int i = 0; i < 4; i++) {
            (i % 2 == 0 ? one : two).complete(i);
        }
        waiter.parked();
        two.complete(4);
        assertThat(waiter.get()).isEqualTo(5);
        one.complete(5);
        assertThat(group.await(some, 2, Fixture.QUIET)).isOne();
    }

    /** A member that always has completions leaves the others their turns. */
    @Test
    void aBusyMemberLetsOthersCome() throws Exception {
        CompletionQueue busy = member();
        CompletionQueue other = member();
        Source source = f.source(busy);
        for (int i = 0; i < 50; i++) {
            source.complete(i);
        }
        f.source(other).complete(99);
        GroupCompletions few = GroupCompletions.allocate(40);
        assertThat(group.await(few, 1, Fixture.PATIENCE)).isEqualTo(40);
        List<CompletionQueue> from = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            from.add(few.cq(i));
        }
        assertThat(from).contains(busy, other);
        assertThat(group.await(some, 1, Fixture.PATIENCE)).isEqualTo(11);
    }

    /** While a CQ is a member, nobody else can wait for it; then it has what was not returned. */
    @Test
    void aCqThatLeavesKeepsItsCompletions() throws Exception {
        CompletionQueue cq = member();
        Source source = f.source(cq);
        assertThatThrownBy(() -> cq.await(batch))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("being served")
                .hasMessageContaining("cq-group-");
        assertThatThrownBy(() -> cq.serve(b -> {})).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> group.add(cq)).isInstanceOf(IllegalStateException.class);
        assertThat(group.await(some, 1, Duration.ZERO)).isZero(); // it is armed
        source.complete(1);
        source.complete(2);
        assertThat(group.remove(cq)).isTrue();
        assertThat(group.remove(cq)).isFalse();
        assertThat(group.size()).isZero();
        assertThat(cq.unackedEvents()).isZero();
        assertThat(cq.await(batch, 2, Fixture.PATIENCE)).isEqualTo(2);
        assertThat(group.await(some, 1, Duration.ZERO)).isZero();

        group.add(cq);
        source.complete(3);
        assertThat(await(1)).isOne();
        assertThat(got()).isEqualTo(Map.of(cq, List.of(3L)));
    }

    /** A thread that waits sees members that join; those that are closed leave. */
    @Test
    void membersComeAndGoWhileAThreadWaits() throws Exception {
        Fixture.Task<Integer> waiter = f.start("waiter", () -> await(3)).parked();
        for (int i = 0; i < 3; i++) {
            CompletionQueue cq = member();
            Source source = f.source(cq);
            source.complete(i);
            if (i < 2) {
                int polled = i + 1;
                Fixture.eventually("it was polled", () -> some.completions().size() == polled);
                source.close();
                cq.close();
            }
        }
        assertThat(waiter.get()).isEqualTo(3);
        Fixture.eventually("closed ones have left", () -> group.size() == 1);
    }

    /** The end wakes all that wait, and the CQs go on. */
    @Test
    void theEndOfAGroup() throws Exception {
        CompletionQueue cq = member();
        Source source = f.source(cq);
        List<Fixture.Task<Integer>> waiters = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiters.add(f.start("waiter " + i, () -> group.await(GroupCompletions.allocate(4))));
        }
        for (Fixture.Task<Integer> waiter : waiters) {
            waiter.parked();
        }
        group.close();
        group.close();
        for (Fixture.Task<Integer> waiter : waiters) {
            assertThatThrownBy(waiter::get).isInstanceOf(ClosedException.class);
        }
        assertThatThrownBy(() -> group.add(cq)).isInstanceOf(ClosedException.class);
        source.complete(1);
        assertThat(cq.await(batch)).isOne();
    }

    /** An interrupt ends a wait; what was polled by then is returned. */
    @Test
    void anInterrupt() throws Exception {
        Source source = f.source(member());
        Fixture.Task<Integer> waiter = f.start("waiter", () -> await(2)).parked();
        waiter.thread.interrupt();
        assertThatThrownBy(waiter::get).isInstanceOf(InterruptedException.class);
        Fixture.Task<Boolean> other =
                f.start(
                        "other",
                        () -> {
                            assertThat(await(2)).isOne();
                            return Thread.interrupted();
                        });
        other.parked();
        source.complete(1);
        other.parked();
        Fixture.eventually("it was polled", () -> some.completions().size() == 1);
        other.thread.interrupt();
        assertThat(other.get()).isTrue();
    }

    /** A member that has overrun gives what it holds, then its error, once, and is gone. */
    @Test
    void aMemberThatOverruns() throws Exception {
        CompletionQueue small = f.own(f.context.createDirectCq(1));
        CompletionQueue good = member();
        group.add(small);
        f.source(small).overrun();
        int held = small.cqe();
        for (int n = 0; n < held; ) {
            n += await(1);
        }
        assertThatThrownBy(() -> await(1))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("EIO");
        assertThat(group.size()).isOne();
        f.source(good).complete(3);
        assertThat(await(1)).isOne();
        assertThat(group.remove(small)).isFalse();
    }

    /** Several threads share the completions: each goes to one, and none waits beside one. */
    @Test
    void severalThreadsShareTheCompletions() throws Exception {
        List<Source> sources = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            sources.add(f.source(member()));
        }
        AtomicInteger sum = new AtomicInteger();
        List<Fixture.Task<Void>> waiters = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiters.add(
                    f.start(
                            "waiter " + i,
                            () -> {
                                GroupCompletions mine = GroupCompletions.allocate(4);
                                while (true) {
                                    try {
                                        group.await(mine);
                                    } catch (ClosedException e) {
                                        return null;
                                    }
                                    for (int k = 0; k < mine.completions().size(); k++) {
                                        sum.addAndGet((int) mine.completions().wrId(k));
                                    }
                                }
                            }));
        }
        int expected = 0;
        for (int i = 0; i < 200; i++) {
            sources.get(i * 5 % 4).complete(i);
            expected += i;
        }
        int all = expected;
        Fixture.eventually("all were received: " + sum, () -> sum.get() == all);
        group.close();
        for (Fixture.Task<Void> waiter : waiters) {
            waiter.get();
        }
    }
}
