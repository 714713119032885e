package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AsyncEvent;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.CqGroup;
import io.loomverbs.GroupCompletions;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.WaitStrategy;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;
import io.loomverbs.support.Fixture.Task;

import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** What is recorded of waits, closes, failures and registrations. */
class DeviceRecordingTest extends DeviceContract {
    private static final String PREFIX = "loomverbs.";
    private static final Duration SHORT = Duration.ofMillis(30);

    private final CompletionQueue cq = f.own(f.context.createDirectCq(4, WaitStrategy.EVENTS));
    private final Source source = f.source(cq);

    @FunctionalInterface
    private interface Step {
        void run() throws Exception;
    }

    /** What is recorded of one kind of event, and of this test's device, during a step. */
    private static List<RecordedEvent> recorded(String name, Step step) throws Exception {
        Path file = Files.createTempFile("recorded", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable(PREFIX + name).withThreshold(Duration.ZERO);
            recording.start();
            step.run();
            recording.stop();
            recording.dump(file);
            return read(file, name);
        } finally {
            Files.delete(file);
        }
    }

    private static List<RecordedEvent> read(Path file, String name) throws IOException {
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals(PREFIX + name))
                .sorted(Comparator.comparing(RecordedEvent::getStartTime))
                .toList();
    }

    private static RecordedEvent one(List<RecordedEvent> events) {
        assertThat(events).hasSize(1);
        return events.getFirst();
    }

    private static void assertWait(
            RecordedEvent event, Object waitedFor, String operation, boolean received) {
        assertThat(event.getString("waitedFor")).isEqualTo(waitedFor.toString());
        assertThat(event.getString("operation")).isEqualTo(operation);
        assertThat(event.getBoolean("received")).isEqualTo(received);
        assertThat(event.getStackTrace()).isNotNull();
    }

    @Test
    void recordsWaitsThatTimeOut() throws Exception {
        CompletionChannel channel = f.channel();
        List<RecordedEvent> waits =
                recorded(
                        "EventWait",
                        () -> {
                            assertThat(cq.getCqEvent(SHORT)).isNull();
                            assertThat(channel.getCqEvent(SHORT)).isNull();
                            assertThat(cq.await(batch, 1, SHORT)).isZero();
                            assertThat(f.context.getAsyncEvent(SHORT)).isNull();
                        });
        assertThat(waits).hasSize(4);
        assertThat(waits).allMatch(wait -> wait.getDuration().compareTo(SHORT) >= 0);
        assertThat(waits).allMatch(wait -> wait.getThread().getJavaName().equals(me()));
        assertWait(waits.get(0), cq, "getCqEvent", false);
        assertWait(waits.get(1), channel, "getCqEvent", false);
        assertWait(waits.get(2), cq, "await", false);
        assertWait(waits.get(3), f.context, "getAsyncEvent", false);
    }

    private static String me() {
        return Thread.currentThread().getName();
    }

    /** The waiting virtual thread itself records its wait. */
    @Test
    void recordsWaitsThatEndWithAnEvent() throws Exception {
        List<RecordedEvent> waits =
                recorded(
                        "EventWait",
                        () -> {
                            Task<Integer> task = f.start("awaits", () -> cq.await(batch));
                            task.parked();
                            source.complete(1);
                            assertThat(task.get()).isEqualTo(1);
                        });
        assertWait(one(waits), cq, "await", true);
        assertThat(waits.getFirst().getThread().getJavaName()).isEqualTo("awaits");
        assertThat(waits.getFirst().getThread().isVirtual()).isTrue();
    }

    @Test
    void recordsWaitsOfHandlers() throws Exception {
        CompletionChannel channel = f.channel();
        CountDownLatch handled = new CountDownLatch(1);
        List<RecordedEvent> waits =
                recorded(
                        "EventWait",
                        () -> {
                            try (Serving one = cq.serve(completions -> handled.countDown());
                                    Serving all = channel.serve((from, completions) -> {}, 1)) {
                                Fixture.eventually(
                                        "both wait", () -> f.context.stats().waits().size() == 2);
                                source.complete(1);
                                handled.await();
                                assertThat(one.stop(Fixture.PATIENCE)).isTrue();
                                assertThat(all.stop(Fixture.PATIENCE)).isTrue();
                            }
                        });
        assertThat(waits).allMatch(wait -> wait.getString("operation").equals("serve"));
        assertThat(waits)
                .filteredOn(wait -> wait.getBoolean("received"))
                .singleElement()
                .extracting(wait -> wait.getString("waitedFor"))
                .isEqualTo(cq.toString());
        assertThat(waits)
                .filteredOn(wait -> wait.getString("waitedFor").equals(channel.toString()))
                .singleElement()
                .extracting(wait -> wait.getBoolean("received"))
                .isEqualTo(false);
    }

    /** A wait below the threshold, which is that of the JDK's waits, is not recorded. */
    @Test
    void recordsNoShortWaits() throws Exception {
        Path file = Files.createTempFile("recorded", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable(PREFIX + "EventWait");
            recording.start();
            assertThat(cq.getCqEvent(Duration.ofNanos(1))).isNull();
            assertThat(cq.getCqEvent(SHORT)).isNull();
            recording.stop();
            recording.dump(file);
            assertThat(read(file, "EventWait"))
                    .isNotEmpty()
                    .allMatch(wait -> wait.getDuration().toMillis() >= 20);
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void recordsClosesThatFindUnacknowledgedEvents() throws Exception {
        cq.reqNotify(false);
        source.complete(1);
        CqEvent event = cq.getCqEvent(Fixture.PATIENCE);
        source.close();
        List<RecordedEvent> closes =
                recorded(
                        "CloseWait",
                        () -> {
                            assertThatThrownBy(() -> cq.close(SHORT))
                                    .isInstanceOf(VerbsException.class);
                            Task<Void> closer =
                                    f.start(
                                            "closes",
                                            () -> {
                                                cq.close();
                                                return null;
                                            });
                            closer.parked();
                            event.close();
                            closer.get();
                        });
        assertThat(closes).hasSize(2);
        assertThat(closes)
                .allMatch(close -> close.getString("object").equals(cq.toString()))
                .allMatch(close -> close.getInt("unacknowledged") == 1);
        assertThat(closes.get(0).getBoolean("succeeded")).isFalse();
        assertThat(closes.get(0).getDuration()).isGreaterThanOrEqualTo(SHORT);
        assertThat(closes.get(1).getBoolean("succeeded")).isTrue();
    }

    /** A close that finds nothing to wait for is not recorded. */
    @Test
    void recordsNoOtherCloses() throws Exception {
        assertThat(recorded("CloseWait", () -> f.context.createDirectCq(1).close())).isEmpty();
    }

    @Test
    void recordsRegistrations() throws Exception {
        List<RecordedEvent> all =
                recorded(
                        "MemoryRegistration",
                        () -> {
                            MemoryRegion region = f.mr(4096);
                            assertThat(region.length()).isEqualTo(4096);
                        });
        RecordedEvent registration = one(all);
        assertThat(registration.getLong("bytes")).isEqualTo(4096);
        assertThat(registration.getString("pd")).isEqualTo(f.pd.toString());
        assertThat(registration.getBoolean("succeeded")).isTrue();
    }

    @Test
    void recordsOverruns() throws Exception {
        List<RecordedEvent> overruns =
                recorded(
                        "CqOverrun",
                        () -> {
                            source.overrun();
                            try (AsyncEvent event = f.context.getAsyncEvent(Fixture.PATIENCE)) {
                                assertThat(event).isNotNull();
                            }
                        });
        RecordedEvent overrun = one(overruns);
        assertThat(overrun.getString("cq")).isEqualTo(cq.toString());
        assertThat(overrun.getInt("cqe")).isEqualTo(cq.cqe());
        assertThat(overrun.getLong("polled")).isZero();
    }

    /** From the first arm, whichever way the event is received; it is off unless it is enabled. */
    @Test
    void recordsTheTimeFromAnArmToItsEvent() throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue on = f.on(channel);
        Source onChannel = f.source(on);
        List<RecordedEvent> arms =
                recorded(
                        "ArmToEvent",
                        () -> {
                            cq.reqNotify(false);
                            Thread.sleep(SHORT);
                            cq.reqNotify(false);
                            source.complete(1);
                            cq.getCqEvent(Fixture.PATIENCE).close();
                            Fixture.pollOne(cq);
                            Task<Integer> task = f.start("awaits", () -> cq.await(batch));
                            task.parked();
                            source.complete(2);
                            assertThat(task.get()).isEqualTo(1);
                            on.reqNotify(false);
                            onChannel.complete(1);
                            channel.getCq(Fixture.PATIENCE).ackEvents(1);
                            Fixture.pollOne(on);
                        });
        assertThat(arms)
                .extracting(arm -> arm.getString("cq"))
                .containsExactly(cq.toString(), cq.toString(), on.toString());
        assertThat(arms.getFirst().getDuration()).isGreaterThanOrEqualTo(SHORT);
        assertThat(arms.get(1).getThread().getJavaName()).isEqualTo("awaits");
    }

    /** A handler of a channel receives events without an object for each. */
    @Test
    void recordsArmsOfHandlers() throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue on = f.on(channel);
        Source onChannel = f.source(on);
        CountDownLatch handled = new CountDownLatch(1);
        List<RecordedEvent> arms =
                recorded(
                        "ArmToEvent",
                        () -> {
                            try (Serving all =
                                    channel.serve((from, batch) -> handled.countDown(), 1)) {
                                Fixture.eventually(
                                        "it is armed",
                                        () ->
                                                f.context.stats().cqs().stream()
                                                        .anyMatch(stats -> stats.arms() > 0));
                                onChannel.complete(1);
                                handled.await();
                                assertThat(all.stop(Fixture.PATIENCE)).isTrue();
                            }
                        });
        assertThat(arms).isNotEmpty().allMatch(arm -> arm.getString("cq").equals(on.toString()));
        assertThat(arms.getFirst().getThread().getJavaName()).startsWith(channel + "/handler-");
    }

    /** An arm from before a recording is not counted to it. */
    @Test
    void recordsNoArmOfAnEarlierRecording() throws Exception {
        assertThat(recorded("ArmToEvent", () -> cq.reqNotify(false))).isEmpty();
        source.complete(1);
        cq.getCqEvent(Fixture.PATIENCE).close();
        Fixture.pollOne(cq);
        cq.reqNotify(false);
        Thread.sleep(SHORT);
        List<RecordedEvent> arms =
                recorded(
                        "ArmToEvent",
                        () -> {
                            source.complete(2);
                            cq.getCqEvent(Fixture.PATIENCE).close();
                        });
        assertThat(arms).isEmpty();
    }

    /** A wait for a group is one, too; the group's own threads record theirs. */
    @Test
    void recordsWaitsForAGroup() throws Exception {
        CqGroup group = f.own(CqGroup.create());
        List<RecordedEvent> waits =
                recorded(
                        "EventWait",
                        () ->
                                assertThat(group.await(GroupCompletions.allocate(1), 1, SHORT))
                                        .isZero());
        assertWait(one(waits), group, "await", false);
        assertThat(waits.getFirst().getDuration()).isGreaterThanOrEqualTo(SHORT);
    }
}
