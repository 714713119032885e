package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * A thread has claimed more than is outstanding and does not come to take that back, as when a
 * debugger holds it. Others go on without it, after a while.
 */
@Timeout(60)
class AbandonedClaimTest {
    private static final long ONE = 1L << 32;
    private static final VarHandle WORD;

    static {
        try {
            WORD =
                    MethodHandles.privateLookupIn(Ledger.class, MethodHandles.lookup())
                            .findVarHandle(Ledger.class, "word", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Ledger ledger = new Ledger();

    private void deliver(int events) {
        for (int i = 0; i < events; i++) {
            assertThat(ledger.tryDeliver()).isEqualTo(Ledger.DELIVERED);
        }
    }

    /** What {@link Ledger#tryAck} does first. */
    private void claim(int n) {
        WORD.getAndAdd(ledger, -n * ONE);
    }

    @Test
    void theCountIsToldNevertheless() {
        deliver(2);
        claim(3);
        assertThat(ledger.outstanding()).isZero();
        deliver(1);
        assertThat(ledger.outstanding()).isOne();
        assertThat(ledger.tryAck(1)).isEqualTo(Ledger.ACKED);
    }

    @Test
    void itIsShownNevertheless() {
        claim(1);
        assertThat(ledger)
                .hasToString("open, 0 completion and 0 asynchronous events unacknowledged");
    }

    /** Which are refused, and leave nothing behind. */
    @Test
    void acknowledgementsGoOn() {
        claim(1);
        assertThat(ledger.tryAck(1)).isZero();
        assertThat(ledger.tryAck(5000)).isZero();
        deliver(3);
        assertThat(ledger.tryAck(3)).isEqualTo(Ledger.ACKED);
        assertThat(ledger.outstanding()).isZero();
    }

    @Test
    void aCloseEndsInTime() {
        deliver(1);
        claim(2);
        assertThat(ledger.close(TimeUnit.MILLISECONDS.toNanos(1), TestCloser.destroying()))
                .isEqualTo(CloseOutcome.CLOSED);
    }

    @Test
    void aCloseThatWaitsEnds() throws Exception {
        deliver(1);
        FutureTask<CloseOutcome> close =
                new FutureTask<>(() -> ledger.close(Long.MAX_VALUE, TestCloser.destroying()));
        Thread.ofVirtual().start(close);
        while (!ledger.isClosing()) {
            Thread.sleep(1);
        }
        claim(2);
        assertThat(close.get(20, TimeUnit.SECONDS)).isEqualTo(CloseOutcome.CLOSED);
    }

    /** The wait is a nap most of the time, of a virtual thread too, and keeps an interrupt. */
    @Test
    void theWaitLeavesTheCarrierAndTheInterrupt() throws Exception {
        claim(1);
        FutureTask<Boolean> ask =
                new FutureTask<>(
                        () -> {
                            Thread.currentThread().interrupt();
                            return ledger.outstanding() == 0
                                    && Thread.currentThread().isInterrupted();
                        });
        Thread asking = Thread.ofVirtual().start(ask);
        boolean napped = false;
        while (!ask.isDone()) {
            napped |= asking.getState() == Thread.State.TIMED_WAITING;
        }
        assertThat(napped).isTrue();
        assertThat(ask.get()).isTrue();
    }
}
