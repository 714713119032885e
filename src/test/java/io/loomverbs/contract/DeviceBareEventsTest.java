package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import org.junit.jupiter.api.Test;

import java.time.Duration;

/** Events that are received as their CQ alone, and acknowledged by count. */
class DeviceBareEventsTest extends DeviceContract {
    private final CompletionChannel channel = f.channel();
    private final CompletionQueue cq = f.on(channel);
    private final CompletionQueue other = f.on(channel);
    private final Source source = f.source(cq);
    private final Source another = f.source(other);

    private void raise(CompletionQueue which) {
        which.reqNotify(false);
        (which == cq ? source : another).complete(1);
    }

    @Test
    void theyAreCountedUntilTheyAreAcknowledged() throws Exception {
        raise(cq);
        assertThat(channel.getCq()).isSameAs(cq);
        raise(other);
        assertThat(channel.getCq(Fixture.PATIENCE)).isSameAs(other);
        raise(cq);
        CompletionQueue again = null;
        while (again == null) {
            again = channel.tryGetCq();
        }
        assertThat(again).isSameAs(cq);
        assertThat(channel.tryGetCq()).isNull();
        assertThat(channel.getCq(Duration.ofMillis(1))).isNull();
        assertThat(cq.unackedEvents()).isEqualTo(2);
        cq.ackEvents(2);
        other.ackEvents(1);
        assertThatThrownBy(() -> cq.ackEvents(1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aCloseWaitsForThem() throws Exception {
        raise(cq);
        assertThat(channel.getCq()).isSameAs(cq);
        source.close(); // a CQ that is in use is refused at once
        assertThatThrownBy(() -> cq.close(Duration.ofMillis(20)))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("1 unacknowledged event");
        Fixture.Task<Void> closing =
                f.start(
                        "closer",
                        () -> {
                            cq.close();
                            return null;
                        });
        cq.ackEvents(1);
        closing.get();
    }

    /**
     * The event that is left has no object. An acknowledgement by count does not say which of the
     * others it meant, so one of these seems to be held. The close must not claim a deadlock:
     * another thread may acknowledge.
     */
    @Test
    void aCloseThatWaitsForThemNamesNoThread() throws Exception {
        raise(cq);
        assertThat(channel.getCq()).isSameAs(cq);
        raise(cq);
        CqEvent first = channel.getCqEvent();
        raise(cq);
        CqEvent second = channel.getCqEvent();
        source.close(); // a CQ that is in use is refused at once
        assertThatNoThreadIsNamed(3);
        cq.ackEvents(1);
        second.close();
        assertThatNoThreadIsNamed(1);
        cq.ackEvents(1);
        assertThatThrownBy(first::close).isInstanceOf(IllegalStateException.class);
    }

    private void assertThatNoThreadIsNamed(int events) {
        assertThatThrownBy(() -> cq.close(Duration.ofMillis(20)))
                .isInstanceOfSatisfying(
                        VerbsException.class, e -> assertThat(e.errnoName()).isEqualTo("ETIMEDOUT"))
                .hasMessageContaining(events + " unacknowledged event")
                .hasMessageNotContaining("\"" + Thread.currentThread().getName() + "\"");
    }

    /** The pool of threads that serves a channel gets its events. */
    @Test
    void theyAreRefusedWhileTheChannelIsServed() throws Exception {
        try (Serving serving = channel.serve((served, completions) -> {}, 1)) {
            assertThatThrownBy(channel::getCq)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(serving.threads().getFirst().getName());
        }
        raise(other);
        channel.getCq().ackEvents(1);
        for (CompletionQueue left = channel.tryGetCq(); left != null; left = channel.tryGetCq()) {
            left.ackEvents(1); // of an arm of before
        }
    }

    @Test
    void anInterruptEndsAWaitAndTakesNothing() throws Exception {
        Fixture.Task<CompletionQueue> waiting = f.start("waiter", channel::getCq).parked();
        waiting.thread.interrupt();
        assertThat(waiting.failure()).isInstanceOf(InterruptedException.class);
        raise(cq);
        Thread.currentThread().interrupt();
        assertThatThrownBy(channel::getCq).isInstanceOf(InterruptedException.class);
        assertThat(channel.getCq()).isSameAs(cq);
        cq.ackEvents(1);
    }

    @Test
    void theEndOfTheChannelEndsAWait() throws Exception {
        CompletionChannel idle = f.channel();
        Fixture.Task<CompletionQueue> waiting = f.start("waiter", idle::getCq).parked();
        idle.close();
        assertThat(waiting.failure()).isInstanceOf(ClosedException.class);
    }
}
