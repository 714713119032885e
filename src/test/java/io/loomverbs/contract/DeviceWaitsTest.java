package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.CqGroup;
import io.loomverbs.GroupCompletions;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.WaitStats;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.RequestInterruptedException;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.Test;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.function.Supplier;

/** Threads that wait for a group or in {@code io.loomverbs.blocking} are listed, too. */
class DeviceWaitsTest extends DeviceContract {
    private final CompletionQueue cq = f.own(f.context.createDirectCq(64)).named("orders");

    private List<WaitStats> waitsOf(Task<?> task) {
        return f.context.stats().waits().stream()
                .filter(wait -> wait.threadId() == task.thread.threadId())
                .toList();
    }

    /** Once, whatever else it does for others. */
    private void waits(Task<?> task, String what) {
        Fixture.eventually(task.thread.getName() + " is listed", () -> !waitsOf(task).isEmpty());
        Fixture.eventually(
                task.thread.getName() + " waits for " + what + ": " + waitsOf(task),
                () ->
                        waitsOf(task).stream()
                                .map(WaitStats::waitsFor)
                                .toList()
                                .equals(List.of(what)));
        long first = waitsOf(task).getFirst().nanos();
        assertThat(first).isNotNegative();
        Fixture.eventually(
                "the time goes on", () -> waitsOf(task).getFirst().nanos() > first + 1_000_000);
        assertThat(waitsOf(task).getFirst().virtual()).isTrue();
        assertThat(f.context.dump())
                .contains(
                        "\""
                                + task.thread.getName()
                                + "\" #"
                                + task.thread.threadId()
                                + " virtual waits for "
                                + what
                                + ", for ");
    }

    private void waitsNoMore(Task<?> task) throws Exception {
        task.thread.interrupt();
        assertThat(task.failure()).isInstanceOf(InterruptedException.class);
        assertThat(waitsOf(task)).isEmpty();
    }

    @Test
    void listsThreadsThatWaitForAGroup() throws Exception {
        CqGroup group = f.own(CqGroup.create());
        group.add(cq);
        GroupCompletions got = GroupCompletions.allocate(4);
        Task<Integer> task = f.start("grouped", () -> group.await(got));
        waits(task, "completions of " + group);
        Task<Integer> other = f.start("other", () -> group.await(GroupCompletions.allocate(4)));
        waits(other, "completions of " + group);
        Fixture.eventually(
                "the group's own thread is listed",
                () ->
                        f.context.stats().waits().stream()
                                .anyMatch(
                                        wait ->
                                                wait.waitsFor()
                                                        .equals(
                                                                "an event of "
                                                                        + cq
                                                                        + ", for "
                                                                        + group)));
        assertThat(f.context.stats().problems()).isEmpty();
        waitsNoMore(other);
        f.source(cq).complete(1);
        assertThat(task.get()).isEqualTo(1);
        assertThat(waitsOf(task)).isEmpty();
    }

    /** It is of no context, so each lists it; and it looks wrong. */
    @Test
    void listsThreadsThatWaitForAGroupWithoutMembers() throws Exception {
        try (CqGroup group = CqGroup.create()) {
            Task<Integer> task =
                    f.start("in vain", () -> group.await(GroupCompletions.allocate(4)));
            waits(task, "completions of " + group + ", which has no members");
            assertThat(f.context.stats().problems())
                    .containsExactly(group + " has no members; waiting for it: 1 thread");
            group.add(cq);
            waits(task, "completions of " + group);
            assertThat(f.context.stats().problems()).isEmpty();
            waitsNoMore(task);
        }
    }

    private Requests requests(BufferPool pool, int receives) {
        QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq)));
        qp.init(Fixture.anything());
        RequestsConfig config = RequestsConfig.of();
        Requests requests =
                f.own(
                        Requests.over(
                                qp, receives == 0 ? config : config.withReceives(receives, pool)));
        qp.connect(qp.endpoint());
        return requests;
    }

    /** One polls for all, and is listed with what it waits for itself. */
    @Test
    void listsThreadsThatWaitForMessagesAndBuffers() throws Exception {
        BufferPool pool = f.own(BufferPool.of(f.pd, 64, 2));
        Requests requests = requests(pool, 1);
        Task<Message> leader = f.start("leads", requests::receive);
        waits(leader, "a message of " + requests + ", and polls " + cq + " for all");
        Task<Message> follower = f.start("follows", requests::receive);
        waits(follower, "a message of " + requests + ", of " + cq);
        Task<Buffer> taker;
        try (Buffer last = pool.take()) {
            assertThat(last.length()).isEqualTo(64);
            taker = f.start("takes", () -> pool.take());
            waits(taker, "a buffer of " + pool);
        }
        taker.get().close();
        assertThat(waitsOf(taker)).isEmpty();
        waitsNoMore(leader);
        waits(follower, "a message of " + requests + ", and polls " + cq + " for all");
        waitsNoMore(follower);
        assertThat(f.context.stats().waits()).isEmpty();
    }

    @Test
    void listsThreadsThatWaitForRequests() throws Exception {
        Requests requests = requests(f.own(BufferPool.of(f.pd, 64, 1)), 0);
        Task<Void> task =
                f.start(
                        "sends",
                        () -> {
                            requests.send(Buffer.of(f.mr(64))); // no receive
                            return null;
                        });
        waits(task, "a send of 64 bytes over " + requests + ", and polls " + cq + " for all");
        task.thread.interrupt();
        assertThat(task.failure()).isInstanceOf(RequestInterruptedException.class);
        assertThat(waitsOf(task)).isEmpty();
        requests.close();
    }

    /** A layer that another program has made shows its own; it is not kept for that. */
    @Test
    void aLayerAddsItsWaits() throws Exception {
        WaitStats wait = new WaitStats("mine", 1, false, "the moon of soft0", 5);
        Supplier<List<WaitStats>> layer = () -> List.of(wait);
        f.context.addWaits(layer);
        assertThat(f.context.stats().waits()).containsExactly(wait);
        assertThat(f.context.dump()).contains("\"mine\" #1 waits for the moon of soft0, for ");
        assertThat(layer.get()).hasSize(1);
        WeakReference<Object> dropped = addDropped();
        Fixture.eventually(
                "it is collected",
                () -> {
                    System.gc();
                    return dropped.refersTo(null);
                });
    }

    private WeakReference<Object> addDropped() {
        Object[] own = new Object[1]; // so that it is an object of its own
        Supplier<List<WaitStats>> layer = () -> own.length == 0 ? null : List.of();
        f.context.addWaits(layer);
        return new WeakReference<>(layer);
    }
}
