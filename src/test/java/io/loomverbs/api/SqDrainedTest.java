package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.CompletionQueue;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;

/** State SQD, and the event that ends the wait in it. */
@Timeout(60)
class SqDrainedTest {
    private final Fixture f = new Fixture();
    private final CompletionQueue sends = f.polled();
    private final CompletionQueue receives = f.polled();
    private final Fixture.Pair p = f.pair(sends, receives);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private static QpAttributes drain(boolean tell) {
        return QpAttributes.builder().state(QpState.SQD).enSqdAsyncNotify(tell).build();
    }

    /** The request that is under way ends, then the event comes; what is behind it waits. */
    @Test
    void theEventComesWhenTheQueueHasDrained() throws Exception {
        p.a.postSend(p.send(1, 8)); // waits for a receive request
        p.a.postSend(p.send(2, 8));
        p.a.modify(drain(true));
        assertThat(p.a.query().isSqDraining()).isTrue();
        assertThat(p.a.query().enSqdAsyncNotify()).isTrue();
        assertThat(next(Duration.ZERO)).isNull();

        p.recv(1);
        try (AsyncEvent event = next(Fixture.PATIENCE)) {
            assertThat(event).isNotNull();
            assertThat(event.type()).isEqualTo(AsyncEventType.SQ_DRAINED);
            assertThat(event.qp()).isSameAs(p.a);
        }
        assertThat(p.a.query().isSqDraining()).isFalse();
        assertThat(Fixture.pollOne(sends).wrId()).isEqualTo(1);

        p.recv(2);
        p.a.modify(QpAttributes.builder().state(QpState.RTS).build());
        assertThat(Fixture.pollOne(sends).wrId()).isEqualTo(2);
        Fixture.poll(receives, 2);
    }

    @Test
    void itIsNotToldUnasked() throws Exception {
        p.a.modify(drain(false));
        assertThat(p.a.state()).isEqualTo(QpState.SQD);
        assertThat(next(Fixture.QUIET)).isNull();
        assertThat(drain(true).toString()).contains("IBV_QP_EN_SQD_ASYNC_NOTIFY");
    }

    private AsyncEvent next(Duration timeout) throws InterruptedException {
        return f.context.getAsyncEvent(timeout);
    }
}
