package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;

/** The thread of a member of a group: it cannot be started, meets an Error, or ends late. */
@Timeout(120)
class GroupMemberTest {
    private final Fixture f = new Fixture();
    private final CompletionQueue cq = f.direct();
    private final GroupCompletions some = GroupCompletions.allocate(4);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private CqGroup group(ThreadFactory threads) {
        return f.own(new CqGroup(threads));
    }

    private int await(CqGroup group) throws InterruptedException {
        return group.await(some, 1, Fixture.PATIENCE);
    }

    /** Its completion stays where it was, and the CQ can be used by others. */
    @Test
    void aCqWhoseThreadCannotBeStartedIsNoMember() throws Exception {
        Error error = new OutOfMemoryError("planted");
        CqGroup group =
                group(
                        task ->
                                new Thread(task) {
                                    @Override
                                    public void start() {
                                        throw error;
                                    }
                                });
        f.source(cq).complete(7);
        assertThatThrownBy(() -> group.add(cq)).isSameAs(error);
        assertThat(group.size()).isZero();
        assertThat(group.await(some, 1, Duration.ZERO)).isZero();
        assertThat(group.remove(cq)).isFalse();
        CqGroup other = group(Thread.ofVirtual()::unstarted);
        other.add(cq);
        assertThat(await(other)).isOne();
        assertThat(some.completions().wrId(0)).isEqualTo(7);
    }

    /** It runs no code of the program, which could not be unloaded while the CQ is a member. */
    @Test
    void theThreadInheritsNothing() throws Exception {
        List<Thread> heirs = new CopyOnWriteArrayList<>();
        InheritableThreadLocal<String> heirloom =
                new InheritableThreadLocal<>() {
                    @Override
                    protected String childValue(String parentValue) {
                        heirs.add(Thread.currentThread());
                        return parentValue;
                    }
                };
        heirloom.set("of the program");
        try {
            CqGroup group = f.own(CqGroup.create());
            group.add(cq);
            f.source(cq).complete(7);
            assertThat(await(group)).isOne();
        } finally {
            heirloom.remove();
        }
        assertThat(heirs).isEmpty();
    }

    /** Its first wait ends with an Error: the next one finds the event. */
    @Test
    void aThreadThatRunsOutOfMemoryGoesOn() throws Exception {
        CountDownLatch thrown = new CountDownLatch(1);
        CqGroup group =
                group(
                        task ->
                                new Thread(task) {
                                    @Override
                                    public boolean isInterrupted() {
                                        if (thrown.getCount() > 0) {
                                            thrown.countDown();
                                            throw new OutOfMemoryError("planted");
                                        }
                                        return super.isInterrupted();
                                    }
                                });
        group.add(cq);
        thrown.await();
        assertThat(group.await(some, 1, Duration.ZERO)).isZero();
        f.source(cq).complete(7);
        assertThat(await(group)).isOne();
    }

    /** It is not a failure of the device that ends it: the group tells of it all the same. */
    @Test
    void aThreadWhoseQueueHasFailedIsReported() throws Exception {
        CqGroup group = group(Thread.ofVirtual()::unstarted);
        group.add(cq);
        Throwable cause = new IllegalArgumentException("planted");
        cq.ledger().queue().end(cause);
        assertThatThrownBy(() -> await(group))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(cq + " has failed")
                .hasCause(cause);
        assertThat(group.size()).isZero();
    }

    /** An interrupt neither ends the wait for the member's thread nor is it lost. */
    @Test
    void aRemovalWaitsForTheThreadThoughItIsInterrupted() throws Exception {
        CountDownLatch mayEnd = new CountDownLatch(1);
        CqGroup group =
                group(
                        task ->
                                Thread.ofVirtual()
                                        .unstarted(
                                                () -> {
                                                    task.run();
                                                    awaitWhateverComes(mayEnd);
                                                }));
        group.add(cq);
        Fixture.Task<Boolean> remover =
                f.start(
                        "remover",
                        () -> {
                            Thread.currentThread().interrupt();
                            return group.remove(cq) && Thread.interrupted();
                        });
        remover.parked();
        mayEnd.countDown();
        assertThat(remover.get()).as("it stays interrupted").isTrue();
    }

    private static void awaitWhateverComes(CountDownLatch latch) {
        boolean interrupted = true;
        while (interrupted) {
            try {
                latch.await();
                interrupted = false;
            } catch (InterruptedException e) {
                // The group has told it to end.
            }
        }
    }
}
