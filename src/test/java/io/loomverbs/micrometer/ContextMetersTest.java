package io.loomverbs.micrometer;

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
import io.loomverbs.Verbs;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;
import io.loomverbs.support.Fixture.Task;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The meters show what {@code context.stats()} says. */
@Timeout(60)
@SuppressWarnings("try") // joins threads, which may be interrupted
class ContextMetersTest {
    private final Fixture f = new Fixture();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @AfterEach
    void close() throws Exception {
        f.close();
        registry.close();
    }

    private double counter(String name, String tag, String value) {
        FunctionCounter counter = registry.find(name).tag(tag, value).functionCounter();
        assertThat(counter).as("%s of %s in %s", name, value, names()).isNotNull();
        return counter.count();
    }

    private double gauge(String name, String tag, String value) {
        Gauge gauge = registry.find(name).tag(tag, value).gauge();
        assertThat(gauge).as("%s of %s in %s", name, value, names()).isNotNull();
        return gauge.value();
    }

    private List<String> names() {
        return registry.getMeters().stream().map(meter -> meter.getId().toString()).toList();
    }

    private void assertShows(CqStats cq) {
        String prefix = "loomverbs.cq.";
        assertThat(counter(prefix + "events", "cq", cq.cq())).isEqualTo((double) cq.events());
        assertThat(counter(prefix + "completions", "cq", cq.cq()))
                .isEqualTo((double) cq.completions());
        assertThat(counter(prefix + "arms", "cq", cq.cq())).isEqualTo((double) cq.arms());
        assertThat(counter(prefix + "empty.wakeups", "cq", cq.cq()))
                .isEqualTo((double) cq.emptyWakeUps());
        assertThat(gauge(prefix + "pending", "cq", cq.cq())).isEqualTo(cq.pendingEvents());
        assertThat(gauge(prefix + "unacked", "cq", cq.cq())).isEqualTo(cq.unackedEvents());
        assertThat(gauge(prefix + "waiters", "cq", cq.cq())).isEqualTo(cq.waiters());
        assertThat(gauge(prefix + "unacked.oldest", "cq", cq.cq())).isNaN(); // trackEvents is off
    }

    private void assertShows(ChannelStats channel) {
        String prefix = "loomverbs.channel.";
        String name = channel.channel();
        assertThat(counter(prefix + "events", "channel", name))
                .isEqualTo((double) channel.events());
        assertThat(gauge(prefix + "cqs", "channel", name)).isEqualTo(channel.cqs());
        assertThat(gauge(prefix + "waiters", "channel", name)).isEqualTo(channel.waiters());
        assertThat(gauge(prefix + "servers", "channel", name)).isEqualTo(channel.servers());
    }

    private void assertShows(ContextStats stats) {
        String name = stats.context();
        assertThat(gauge("loomverbs.cqs", "context", name)).isEqualTo(stats.cqs().size());
        assertThat(gauge("loomverbs.channels", "context", name)).isEqualTo(stats.channels().size());
        assertThat(gauge("loomverbs.waits", "context", name)).isEqualTo(stats.waits().size());
        assertThat(gauge("loomverbs.problems", "context", name)).isEqualTo(stats.problems().size());
        assertThat(gauge("loomverbs.async.unacked", "context", name))
                .isEqualTo(stats.unackedAsyncEvents());
        stats.cqs().forEach(this::assertShows);
        stats.channels().forEach(this::assertShows);
    }

    @Test
    void showsTheNumbersOfTheStatistics() throws Exception {
        CompletionChannel channel = f.channel().named("news");
        CompletionQueue cq = f.on(channel).named("orders");
        Source source = f.source(cq);
        try (ContextMeters meters = ContextMeters.of(f.context, registry)) {
            assertShows(f.context.stats());
            assertThat(counter("loomverbs.cq.arms", "cq", cq.toString())).isZero();
            cq.reqNotify(false);
            source.complete(1);
            Fixture.pollOne(cq);
            assertThat(counter("loomverbs.cq.arms", "cq", cq.toString()))
                    .as("before the update")
                    .isZero();
            try (CqEvent event = channel.getCqEvent(Fixture.PATIENCE)) {
                assertThat(event).isNotNull();
                meters.update();
                assertShows(f.context.stats());
                assertThat(counter("loomverbs.cq.arms", "cq", cq.toString())).isEqualTo(1);
                assertThat(counter("loomverbs.cq.events", "cq", cq.toString())).isEqualTo(1);
                assertThat(gauge("loomverbs.cq.unacked", "cq", cq.toString())).isEqualTo(1);
                assertThat(gauge("loomverbs.problems", "context", "soft0")).isEqualTo(1);
            }
            Task<CqEvent> waits = f.start("waits", () -> channel.getCqEvent(Fixture.PATIENCE));
            Fixture.eventually("it waits", () -> f.context.stats().waits().size() == 1);
            Thread.sleep(200);
            meters.update();
            assertShows(f.context.stats());
            assertThat(gauge("loomverbs.waits.longest", "context", "soft0")).isBetween(0.05, 60.0);
            waits.thread.interrupt();
            assertThat(waits.failure()).isInstanceOf(InterruptedException.class);
        }
    }

    /** Meters come and go with what they are of, and all go with the close. */
    @Test
    void followsWhatIsOpen() {
        Meter foreign = registry.counter("foreign");
        ContextMeters meters = ContextMeters.of(f.context, registry, Tag.of("shard", "7"));
        assertThat(registry.find("loomverbs.cq.events").meters()).isEmpty();
        CompletionQueue cq = f.context.createDirectCq(1);
        meters.update();
        assertThat(registry.find("loomverbs.cq.events").tag("shard", "7").meters()).hasSize(1);
        cq.close();
        meters.update();
        assertThat(registry.find("loomverbs.cq.events").meters()).isEmpty();
        assertThat(registry.find("loomverbs.cqs").tag("shard", "7").gauge()).isNotNull();
        meters.close();
        meters.close();
        assertThat(registry.getMeters()).containsExactly(foreign);
        assertThatThrownBy(meters::update)
                .isInstanceOf(ClosedException.class)
                .hasMessage("meters of soft0 is closed");
    }

    /** What the document shows is compiled, and works. */
    @Test
    void theDocumentShowsThis() throws IOException {
        Context context = f.context;
        ContextMeters meters = ContextMeters.of(context, registry);
        CompletionQueue cq = f.direct();
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        Future<?> updates = timer.scheduleAtFixedRate(meters::update, 0, 10, TimeUnit.SECONDS);
        Fixture.eventually(
                "it has updated",
                () ->
                        registry.find("loomverbs.cq.arms").tag("cq", cq.toString()).meters().size()
                                == 1);
        assertThat(updates).isNotDone();
        timer.shutdownNow();
        meters.close();
        String document = Files.readString(Path.of("docs/observability.md"));
        String shown = document.split("```java\n", -1)[2].split("```", -1)[0];
        assertThat(shown).contains("ContextMeters.of(");
        String source = "src/test/java/io/loomverbs/micrometer/ContextMetersTest.java";
        assertThat(Files.readAllLines(Path.of(source)).stream().map(String::strip).toList())
                .containsSubsequence(shown.lines().toList());
    }

    @Test
    void refusesWhatIsMissingOrClosed() {
        assertThatThrownBy(() -> ContextMeters.of(null, registry))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("context is null");
        assertThatThrownBy(() -> ContextMeters.of(f.context, null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("registry is null");
        assertThatThrownBy(() -> ContextMeters.of(f.context, registry, (Tag) null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("tags is null");
        assertThatThrownBy(() -> ContextMeters.of(f.context, registry, (Tag[]) null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("tags is null");
        Context closed = Verbs.device("soft0").open();
        ContextMeters meters = ContextMeters.of(closed, registry);
        closed.close();
        assertThatThrownBy(meters::update)
                .isInstanceOf(ClosedException.class)
                .hasMessage("soft0 is closed");
        meters.close();
        assertThat(registry.getMeters()).isEmpty();
        assertThatThrownBy(() -> ContextMeters.of(closed, registry))
                .isInstanceOf(ClosedException.class);
    }
}
