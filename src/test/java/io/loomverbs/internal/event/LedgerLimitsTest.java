package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** Counts that are as high, and claims that are as large, as they can be. */
@Timeout(60)
class LedgerLimitsTest {
    private static final long ONE = 1L << 32;
    private static final long ASYNC_ONE = 1 << 14;

    /** The largest number of events that is acknowledged by addition. */
    private static final int MOST_CLAIMED = 1 << 10;

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

    private void outstanding(long completion, long async) {
        WORD.setVolatile(ledger, completion * ONE + async * ASYNC_ONE);
    }

    /** The caller then lists the CQ again. */
    @Test
    void anAcknowledgementSaysWhetherTheCountWasFull() {
        for (int n : new int[] {1, MOST_CLAIMED, MOST_CLAIMED + 1}) {
            outstanding(Ledger.MOST_OUTSTANDING, 0);
            assertThat(ledger.tryDeliver()).isEqualTo(Ledger.FULL);
            assertThat(ledger.tryAck(n)).as("of " + n).isEqualTo(Ledger.ACKED_WHEN_FULL);
            assertThat(ledger.outstanding()).isEqualTo(Ledger.MOST_OUTSTANDING - n);
            assertThat(ledger.tryAck(n)).as("of " + n).isEqualTo(Ledger.ACKED);
            assertThat(ledger.tryDeliver()).isEqualTo(Ledger.DELIVERED);
        }
    }

    @Test
    void anAsynchronousAcknowledgementSaysSoToo() {
        outstanding(0, Ledger.MAX_ASYNC);
        assertThat(ledger.tryDeliverAsync()).isFalse();
        assertThat(ledger.tryAckAsync()).isEqualTo(Ledger.ACKED_WHEN_FULL);
        assertThat(ledger.tryAckAsync()).isEqualTo(Ledger.ACKED);
        assertThat(ledger.tryDeliverAsync()).isTrue();
        assertThat(ledger.outstandingAsync()).isEqualTo(Ledger.MAX_ASYNC - 1);
    }

    /** Two million threads claim at once, and the last claim must not wrap around. */
    @Test
    void claimsOfManyThreadsAreRecognized() {
        for (int n : new int[] {MOST_CLAIMED, MOST_CLAIMED + 1, Integer.MAX_VALUE}) {
            outstanding(0, 0);
            WORD.getAndAdd(ledger, -((1L << 31) - MOST_CLAIMED) * ONE);
            assertThat(ledger.tryAck(n)).as("of " + n).isZero();
            assertThat(ledger.outstanding()).isZero();
        }
    }
}
