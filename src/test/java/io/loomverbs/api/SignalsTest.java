package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** System calls that wait end with EINTR when the process was stopped; our waits must not. */
@Tag("device")
@Timeout(60)
class SignalsTest {
    private final Fixture f = new Fixture();

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    /** Stops this process for a moment, and lets it go on. */
    private static void stopAndContinue() throws Exception {
        long pid = ProcessHandle.current().pid();
        Process shell =
                new ProcessBuilder(
                                "sh",
                                "-c",
                                "kill -STOP %1$d && sleep 0.1; kill -CONT %1$d".formatted(pid))
                        .start();
        assertThat(shell.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(shell.exitValue()).isZero();
    }

    /** Waiters of every kind sleep through it, and wake for what they wait for. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aStoppedProcessGoesOnWaiting(boolean virtual) throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue shared = f.on(channel);
        CompletionQueue own = f.direct();
        CompletionQueue awaited = f.direct();
        List<Fixture.Source> sources = new ArrayList<>();
        for (CompletionQueue cq : List.of(shared, own, awaited)) {
            sources.add(f.source(cq));
        }
        shared.reqNotify(false);
        own.reqNotify(false);
        Thread.Builder kind = virtual ? Thread.ofVirtual() : Thread.ofPlatform();
        List<Fixture.Task<?>> waiters =
                List.of(
                        f.start(kind, "channel", () -> closed(channel.getCqEvent())).parked(),
                        f.start(kind, "direct", () -> closed(own.getCqEvent())).parked(),
                        f.start(kind, "await", () -> awaited.await(WorkCompletions.allocate(1)))
                                .parked());
        for (int i = 0; i < 3; i++) {
            stopAndContinue();
        }
        for (Fixture.Task<?> waiter : waiters) {
            assertThat(waiter.isDone()).isFalse();
        }
        sources.forEach(source -> source.complete(1));
        for (Fixture.Task<?> waiter : waiters) {
            waiter.get();
        }
    }

    private static CompletionQueue closed(CqEvent event) {
        try (event) {
            return event.cq();
        }
    }
}
