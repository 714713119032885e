package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ChannelStats;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.ContextStats;
import io.loomverbs.CqEvent;
import io.loomverbs.CqStats;
import io.loomverbs.Serving;
import io.loomverbs.Verbs;
import io.loomverbs.WaitStats;
import io.loomverbs.WaitStrategy;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/** What a context says of its CQs, channels and waiting threads. */
class DeviceStatsTest extends DeviceContract {
    private final CompletionQueue cq =
            f.own(f.context.createDirectCq(64, WaitStrategy.EVENTS)).named("orders");
    private final CompletionChannel channel = f.channel().named("news");
    private final CompletionQueue on = f.on(channel);

    private CqStats of(CompletionQueue asked) {
        return f.context.stats().cqs().stream()
                .filter(stats -> stats.cq().equals(asked.toString()))
                .findFirst()
                .orElseThrow();
    }

    private ChannelStats ofChannel() {
        return f.context.stats().channels().getFirst();
    }

    private WaitStats waitOf(Task<?> task) {
        task.parked();
        return f.context.stats().waits().stream()
                .filter(wait -> wait.threadId() == task.thread.threadId())
                .findFirst()
                .orElseThrow(() -> new AssertionError(f.context.dump()));
    }

    @Test
    void countsEventsCompletionsAndArms() throws Exception {
        Source source = f.source(cq);
        CqStats fresh = of(cq);
        assertThat(fresh.events() + fresh.completions() + fresh.arms()).isZero();
        Task<Integer> task = f.start("awaits", () -> cq.await(batch, 1, Fixture.PATIENCE));
        Fixture.eventually("the thread waits", () -> of(cq).waiters() == 1);
        source.complete(1);
        assertThat(task.get()).isEqualTo(1);
        CqStats stats = of(cq);
        assertThat(stats.name()).isEqualTo("orders");
        assertThat(stats.channel()).isNull();
        assertThat(stats.events()).isEqualTo(1);
        assertThat(stats.completions()).isEqualTo(1);
        assertThat(stats.arms()).isEqualTo(1);
        assertThat(stats.emptyWakeUps()).isZero();
        assertThat(stats.waiters() + stats.unackedEvents() + stats.pendingEvents()).isZero();
        assertThat(stats.oldestUnackedNanos()).isEqualTo(-1);
        assertThat(stats.handling()).isFalse();
    }

    /** An event whose completion was polled by another thread wakes in vain. */
    @Test
    void countsEmptyWakeUps() throws Exception {
        Source source = f.source(cq);
        cq.reqNotify(false);
        source.complete(1);
        Fixture.pollOne(cq);
        assertThat(cq.await(batch, 1, Duration.ofMillis(50))).isZero();
        assertThat(of(cq).emptyWakeUps()).isEqualTo(1);
        assertThat(of(cq).events()).isEqualTo(1);
    }

    /** On a channel, an event that no thread receives looks wrong, and so does one that is kept. */
    @Test
    void showsWhatIsPendingAndUnacknowledged() throws Exception {
        Source source = f.source(on);
        on.reqNotify(false);
        source.complete(1);
        if (Differences.EMBEDDED) { // elsewhere the event stays in the kernel
            assertThat(of(on).pendingEvents()).isEqualTo(1);
            assertThat(f.context.stats().problems())
                    .containsExactly(
                            "not received: 1 event of " + on + "; no thread waits for them");
        }
        CqEvent event = channel.getCqEvent(Fixture.PATIENCE);
        assertThat(event).isNotNull();
        assertThat(of(on).unackedEvents()).isEqualTo(1);
        assertThat(of(on).channel()).isEqualTo(channel.toString());
        assertThat(ofChannel().events()).isEqualTo(1);
        assertThat(f.context.stats().problems())
                .singleElement()
                .asString()
                .startsWith("not acknowledged: 1 event of " + on + ", received by ");
        Task<Void> closer =
                f.start(
                        "closes",
                        () -> {
                            source.close();
                            on.close();
                            return null;
                        });
        Fixture.eventually(
                "the close waits",
                () ->
                        f.context.stats().problems().getFirst().endsWith("its close waits for that")
                                && waitOf(closer).nanos() > 0);
        assertThat(LockSupport.getBlocker(closer.thread).getClass().getSimpleName())
                .as("what a thread dump shows")
                .isEqualTo("CqCloser");
        assertThat(waitOf(closer).waitsFor()).isEqualTo("acknowledgements, to close " + on);
        event.close();
        closer.get();
        assertThat(f.context.stats().problems()).isEmpty();
    }

    @Test
    void namesAThreadThatHasEndedWithAnEvent() throws Exception {
        Source source = f.source(on);
        on.reqNotify(false);
        source.complete(1);
        CqEvent event = f.start("forgetful", () -> channel.getCqEvent(Fixture.PATIENCE)).get();
        assertThat(f.context.stats().problems())
                .containsExactly(
                        "not acknowledged: 1 event of "
                                + on
                                + ", received by \"forgetful\" (which has ended)");
        event.close();
    }

    @Test
    void listsThreadsThatWait() throws Exception {
        Task<CqEvent> direct = f.start("direct", () -> cq.getCqEvent(Fixture.PATIENCE));
        assertThat(waitOf(direct).waitsFor()).isEqualTo("an event of " + cq);
        assertThat(waitOf(direct).thread()).isEqualTo("direct");
        assertThat(waitOf(direct).virtual()).isTrue();
        Task<CqEvent> shared =
                f.start(Thread.ofPlatform(), "shared", () -> channel.getCqEvent(Fixture.PATIENCE));
        assertThat(waitOf(shared).waitsFor()).isEqualTo("an event of " + channel);
        assertThat(waitOf(shared).virtual()).isFalse();
        assertThat(ofChannel().waiters()).isEqualTo(1);
        Task<?> async = f.start("async", () -> f.context.getAsyncEvent(Fixture.PATIENCE));
        assertThat(waitOf(async).waitsFor()).isEqualTo("an asynchronous event of " + f.context);
        if (Differences.EMBEDDED) { // elsewhere one of them waits in the kernel
            assertThat(LockSupport.getBlocker(direct.thread)).isSameAs(cq);
            assertThat(LockSupport.getBlocker(shared.thread)).isSameAs(channel);
            assertThat(LockSupport.getBlocker(async.thread).getClass().getSimpleName())
                    .isEqualTo("AsyncEvents");
        }
        String dump = f.context.dump();
        assertThat(dump)
                .contains(Objects.toIdentityString(cq), Objects.toIdentityString(channel))
                .contains("\"shared\" #" + shared.thread.threadId() + " waits for an event of ")
                .contains("nothing looks wrong");
        for (Task<?> task : List.of(direct, shared, async)) {
            task.thread.interrupt();
            assertThat(task.failure()).isInstanceOf(InterruptedException.class);
        }
    }

    private static String hangs(Object served) {
        return "the handler of "
                + Pattern.quote(served.toString())
                + " has not returned for [0-9.]+ s: thread \".*CountDownLatch\\.await.*";
    }

    @Test
    void saysWhetherAHandlerRuns() throws Exception {
        CountDownLatch isInHandler = new CountDownLatch(2);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        Serving one =
                cq.serve(
                        completions -> {
                            isInHandler.countDown();
                            mayGoOn.await();
                        });
        Serving all =
                channel.serve(
                        (from, completions) -> {
                            isInHandler.countDown();
                            mayGoOn.await();
                        },
                        2);
        try (one;
                all) {
            assertThat(one.threads().getFirst().getName())
                    .isEqualTo(cq.toString())
                    .endsWith(":orders");
            assertThat(all.threads().getFirst().getName()).startsWith(channel + "/handler-");
            Fixture.eventually("all wait", () -> f.context.stats().waits().size() == 3);
            assertThat(f.context.stats().waits())
                    .extracting(WaitStats::waitsFor)
                    .contains("completions to handle, of " + cq, "an event of " + channel);
            assertThat(ofChannel().servers()).isEqualTo(2);
            assertThat(of(cq).handling() || of(on).handling()).isFalse();
            f.source(cq).complete(1);
            f.source(on).complete(1);
            isInHandler.await();
            assertThat(of(cq).handling() && of(on).handling()).isTrue();
            assertThat(f.context.dump()).contains("being handled");
            for (Object hangs : List.of(cq, channel)) {
                Fixture.eventually(
                        "the dump says that it hangs, and where",
                        () ->
                                f.context.stats().problems().stream()
                                        .anyMatch(p -> p.matches(hangs(hangs))));
            }
            mayGoOn.countDown();
        } finally {
            mayGoOn.countDown();
        }
    }

    /** The name is given, or is that of the context object. */
    @Test
    void objectsHaveNames() {
        assertThat(cq.toString()).matches(".*/cq-\\d+:orders");
        assertThat(channel.toString()).matches(".*/channel-\\d+:news");
        assertThat(on.name()).isNull();
        CompletionQueue other = f.own(f.context.createCq(1, "text", channel, 0));
        assertThat(other.name()).isEqualTo("text");
        assertThat(f.context.dump()).contains(other + " text on " + channel);
        other.named("changed").named("again");
        assertThat(other.name()).isEqualTo("again");
        assertThatThrownBy(() -> other.named(" ")).hasMessageContaining("newName is \" \"");
        assertThatThrownBy(() -> channel.named("")).hasMessageContaining("newName is \"\"");
    }

    @Test
    void aClosedContextHasNoStats() {
        Context closed = Verbs.device(Fixture.DEVICE).open();
        assertThat(closed.stats().cqs()).isEmpty();
        closed.close();
        assertThatThrownBy(closed::stats).isInstanceOf(ClosedException.class);
        assertThatThrownBy(closed::dump).isInstanceOf(ClosedException.class);
    }

    /** The lists are copies. */
    @Test
    void statsDoNotChange() {
        ContextStats stats = f.context.stats();
        int before = stats.cqs().size();
        f.direct();
        assertThat(stats.cqs()).hasSize(before);
        assertThat(f.context.stats().cqs()).hasSize(before + 1);
    }
}
