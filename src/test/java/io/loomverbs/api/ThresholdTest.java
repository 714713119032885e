package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.CqStats;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;

/** A wait for several completions: on a device that can count, few events end it. */
@Tag("device")
@Timeout(60)
class ThresholdTest {
    private static final int MANY = 16;

    private final Fixture f = new Fixture();

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private Task<Integer> waiter(CompletionQueue cq, int min) {
        return f.start("of " + min, () -> cq.await(WorkCompletions.allocate(min), min)).parked();
    }

    private static void complete(Source source, int number) {
        for (int i = 0; i < number; i++) {
            source.complete(i);
        }
    }

    @Test
    void oneEventEndsTheWait() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        Task<Integer> waiter = waiter(cq, MANY);
        complete(source, MANY - 1);
        Thread.sleep(Fixture.QUIET);
        assertThat(waiter.isDone()).isFalse();
        source.complete(MANY);
        assertThat(waiter.get()).isEqualTo(MANY);
        if (Fixture.DEVICE.equals("soft0")) { // others complete on threads of their own
            assertThat(f.context.stats().cqs())
                    .filteredOn(of -> of.cq().equals(cq.toString()))
                    .singleElement()
                    .extracting(CqStats::events)
                    .isEqualTo(1L);
        }
    }

    /** Else it would overrun. */
    @Test
    void aSmallCqIsEmptiedBeforeItIsFull() throws Exception {
        CompletionQueue cq = f.own(f.context.createDirectCq(4));
        Source source = f.source(cq);
        Task<Integer> waiter = waiter(cq, MANY);
        for (int i = 0; i < MANY / 2; i++) {
            complete(source, 2);
            Thread.sleep(Fixture.QUIET);
        }
        assertThat(waiter.get()).isEqualTo(MANY);
    }

    /** What has come until then is not lost. */
    @Test
    void theDeadlineBringsThoseThatAreThere() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        WorkCompletions batch = WorkCompletions.allocate(MANY);
        Duration limit = Duration.ofMillis(300);
        Task<Integer> waiter = f.start("timed", () -> cq.await(batch, MANY, limit)).parked();
        complete(source, 3);
        assertThat(waiter.get()).isEqualTo(3);
    }

    /** The other thread takes the event of a program's own arm, and arms for more. */
    @Test
    void anEventThatAnotherThreadTookIsMadeUpFor() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        Task<Integer> patient = waiter(cq, MANY);
        cq.reqNotify(false);
        complete(source, 1);
        Thread.sleep(Fixture.QUIET); // it has polled that one
        Task<Boolean> other =
                f.start(
                        "of one event",
                        () -> {
                            CqEvent event = cq.getCqEvent(Fixture.PATIENCE);
                            if (event != null) {
                                event.close();
                            }
                            return event != null;
                        });
        other.parked();
        for (int i = 0; i < 3 && !other.isDone(); i++) { // the first event may go to either
            complete(source, 1);
            Thread.sleep(Fixture.QUIET);
        }
        assertThat(other.get()).isTrue();
        cq.reqNotify(false); // as a thread does that took an event
        complete(source, MANY);
        assertThat(patient.get()).isEqualTo(MANY);
    }

    /** It must not have to wait until there are enough for the other thread. */
    @Test
    void aThreadThatWaitsForOneIsNotHeldUp() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        Task<Integer> patient = waiter(cq, MANY);
        Task<Integer> other = waiter(cq, 1);
        complete(source, 1);
        Thread.sleep(Fixture.QUIET);
        if (!other.isDone()) {
            complete(source, 1);
        }
        assertThat(other.get()).isOne();
        int left = MANY;
        while (!patient.isDone() && left-- > 0) {
            source.complete(left);
            Thread.sleep(Duration.ofMillis(1));
        }
        assertThat(patient.get()).isEqualTo(MANY);
        cq.poll(WorkCompletions.allocate(MANY));
    }
}
