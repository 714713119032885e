package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** What the tests have in common that close things: refusals, and events that are held. */
@Tag("device")
@Timeout(60)
abstract class Closings {
    final Fixture f = new Fixture();

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertThat(Thread.interrupted()).isFalse();
        f.close();
    }

    static void refused(ThrowingCallable close, String errno, Object... named) {
        assertThatThrownBy(close)
                .isInstanceOfSatisfying(
                        VerbsException.class,
                        e -> {
                            assertThat(e.errnoName()).isEqualTo(errno);
                            for (Object name : named) {
                                assertThat(e).hasMessageContaining(String.valueOf(name));
                            }
                        });
    }

    /** Raises an event of a CQ, and leaves its completion there. */
    static void raise(Source source, CompletionQueue cq) {
        cq.reqNotify(false);
        source.complete(1);
    }

    CqEvent take(CompletionQueue cq) throws InterruptedException {
        CqEvent event =
                cq.isDirect()
                        ? cq.getCqEvent(Fixture.PATIENCE)
                        : cq.channel().getCqEvent(Fixture.PATIENCE);
        assertThat(event).isNotNull();
        assertThat(event.cq()).isSameAs(cq);
        return event;
    }

    CompletionQueue cq(boolean direct) {
        return direct ? f.direct() : f.on(f.channel());
    }
}
