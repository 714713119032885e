package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.ffi.Epoll;
import io.loomverbs.support.Fixture;

import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** What is recorded of the threads that wait in the kernel. */
@Timeout(60)
class RecordedPollerTest {
    private final ConcurrentLinkedQueue<RecordedEvent> events = new ConcurrentLinkedQueue<>();

    private RecordingStream record(String name) {
        RecordingStream stream = new RecordingStream();
        stream.onEvent("loomverbs." + name, events::add);
        stream.enable("loomverbs." + name);
        stream.setReuse(false);
        stream.startAsync();
        return stream;
    }

    /** A virtual thread that waits for an event of a channel. */
    private static final class Receiver {
        final FutureTask<Object> task;
        final Thread thread;

        Receiver(String name, CompletionChannel channel) {
            task =
                    new FutureTask<>(
                            () -> {
                                try (CqEvent event = channel.getCqEvent()) {
                                    return event.cqContext();
                                }
                            });
            thread = Thread.ofVirtual().name(name).start(task);
        }

        boolean isInKernel() {
            return Arrays.stream(thread.getStackTrace())
                    .anyMatch(frame -> frame.getClassName().endsWith(".ffi.Epoll"));
        }

        Object received() throws Exception {
            return task.get(20, TimeUnit.SECONDS);
        }
    }

    /** One thread waits in the kernel, and raises the events of both. */
    @Test
    void recordsHowManyEventsAWakeUpRaises() throws Exception {
        HandMadeDevice device = HandMadeDevice.create();
        try (Context context = device.open();
                CompletionChannel one = context.createCompChannel();
                CompletionQueue first = context.createCq(1, "first", one, 0)) {
            HandMadeDevice.Made ofFirst = device.last();
            try (CompletionChannel two = context.createCompChannel();
                    CompletionQueue second = context.createCq(1, "second", two, 0);
                    RecordingStream stream = record("PollerWake")) {
                HandMadeDevice.Made ofSecond = device.last();
                Receiver leader = new Receiver("leads", one);
                Fixture.eventually("it leads", leader::isInKernel);
                Receiver follower = new Receiver("follows", two);
                Fixture.eventually("both wait", () -> context.stats().waits().size() == 2);
                ofSecond.event();
                assertThat(follower.received()).isEqualTo("second");
                ofFirst.event();
                assertThat(leader.received()).isEqualTo("first");
                stream.stop();
                assertThat(first.unackedEvents() + second.unackedEvents()).isZero();
            }
        }
        assertThat(events)
                .allMatch(event -> event.getThread().getJavaName().equals("leads"))
                .filteredOn(event -> event.getInt("raised") > 0)
                .hasSize(2)
                .allMatch(event -> event.getInt("raised") == 1)
                .allMatch(event -> event.getInt("ready") >= 1);
    }

    /** The kernel itself refuses: the number of the epoll set is that of a pipe. */
    @Test
    void recordsThatThePollerHasFailed() throws Exception {
        HandMadeDevice device = HandMadeDevice.create();
        try (Context context = device.open();
                CompletionChannel channel = context.createCompChannel();
                CompletionQueue cq = context.createCq(1, "mine", channel, 0);
                RecordingStream stream = record("PollerFailure")) {
            Receiver receiver = new Receiver("fails", channel);
            Fixture.eventually("it leads", receiver::isInKernel);
            Posix.Ends pipe = Posix.pipe();
            Posix.close(pipe.write());
            Posix.reuse(epollSet(device.poller()), pipe.read());
            device.poller().wake(); // the next wait is one of a pipe
            assertThat(receiver.task)
                    .failsWithin(20, TimeUnit.SECONDS)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(VerbsException.class);
            stream.stop();
            assertThat(cq.unackedEvents()).isZero();
        }
        assertThat(events)
                .singleElement()
                .satisfies(
                        event -> {
                            assertThat(event.getString("failure")).contains("EINVAL", "epoll_wait");
                            assertThat(event.getThread().getJavaName()).isEqualTo("fails");
                        });
    }

    private static int epollSet(Poller poller) throws ReflectiveOperationException {
        VarHandle fd =
                MethodHandles.privateLookupIn(Epoll.class, MethodHandles.lookup())
                        .findVarHandle(Epoll.class, "fd", int.class);
        return (int) fd.get(poller.epoll());
    }
}
