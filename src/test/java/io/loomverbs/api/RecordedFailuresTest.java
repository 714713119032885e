package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.loomverbs.CompletionQueue;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;
import io.loomverbs.testkit.Faults;

import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;

import org.junit.jupiter.api.Test;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Failures that a test can cause on the embedded devices only, as a stream of events shows them.
 */
@SuppressWarnings("try") // joins threads, which may be interrupted
class RecordedFailuresTest {
    @Test
    void recordsFailedQueuePairsAndAsyncEvents() throws Exception {
        try (Fixture f = new Fixture();
                RecordingStream stream = new RecordingStream()) {
            Queue<RecordedEvent> errors = new ConcurrentLinkedQueue<>();
            Queue<RecordedEvent> events = new ConcurrentLinkedQueue<>();
            stream.onEvent("loomverbs.QpError", errors::add);
            stream.onEvent("loomverbs.AsyncEvent", events::add);
            stream.enable("loomverbs.QpError");
            stream.enable("loomverbs.AsyncEvent");
            stream.setReuse(false);
            stream.startAsync();
            CompletionQueue cq = f.polled();
            Pair pair = f.pair(cq, cq);
            Faults.of(f.context).overrun(cq);
            stream.stop();
            assertThat(errors)
                    .hasSize(2)
                    .allMatch(error -> error.getString("type").equals("QP_FATAL"))
                    .allMatch(error -> error.getString("sendCq").equals(cq.toString()))
                    .allMatch(error -> error.getString("recvCq").equals(cq.toString()))
                    .extracting(error -> error.getString("qp"))
                    .containsExactlyInAnyOrder(pair.a.toString(), pair.b.toString());
            assertThat(events)
                    .extracting(event -> event.getString("type"), event -> event.getInt("number"))
                    .containsExactlyInAnyOrder(
                            tuple("CQ_ERR", 0), tuple("QP_FATAL", 1), tuple("QP_FATAL", 1));
            assertThat(events)
                    .allMatch(event -> event.getInt("port") == 0)
                    .extracting(event -> event.getString("subject"))
                    .contains(cq.toString(), pair.a.toString());
        }
    }
}
