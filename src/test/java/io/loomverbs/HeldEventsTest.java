package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.soft.FreshDevice;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/** The record of which threads hold events is as long as it must be, and says what is known. */
class HeldEventsTest {
    private static final int SLACK = 16;

    private final Context context = Opened.open(FreshDevice.create());
    private final CompletionQueue cq = context.createDirectCq(1);

    @AfterEach
    void close() {
        int left = cq.unackedEvents();
        if (left > 0) { // of a test that has failed
            cq.ackEvents(left);
        }
        cq.close();
        context.close();
    }

    private CqEvent receive() {
        cq.listener().completionEvent();
        return cq.tryGetCqEvent();
    }

    private CqEvent top() throws ReflectiveOperationException {
        VarHandle top =
                MethodHandles.privateLookupIn(CqDelivery.class, MethodHandles.lookup())
                        .findVarHandle(CqDelivery.class, "top", CqEvent.class);
        return (CqEvent) top.getVolatile(cq.ledger());
    }

    private int length() throws ReflectiveOperationException {
        int n = 0;
        for (CqEvent e = top(); e != null; e = e.next) {
            n++;
        }
        return n;
    }

    /** Each event is received before the one below it is acknowledged. */
    @Test
    void itDoesNotGrowWithWhatIsAcknowledgedBelowTheTop() throws Exception {
        CqEvent oldest = receive();
        CqEvent last = receive();
        for (int i = 0; i < 1000; i++) {
            CqEvent next = receive();
            last.close();
            last = next;
            assertThat(length()).isLessThanOrEqualTo(2 * 3 + SLACK);
            assertThat(top().depth).isBetween(1, 2 * 3 + SLACK);
            assertThat(cq.ledger().holders()).containsExactly(Thread.currentThread());
        }
        last.close();
        assertThat(cq.ledger().holders()).containsExactly(Thread.currentThread());
        oldest.close();
    }

    /** An acknowledgement by count subtracts first, and marks the events afterwards. */
    @Test
    void noThreadIsNamedIfMoreEventsSeemToBeHeldThanThereAre() throws Exception {
        List<CqEvent> held = new ArrayList<>();
        for (int i = 0; i < 2 * SLACK; i++) {
            held.add(receive());
        }
        cq.ledger().tryAck(2 * SLACK - 1);
        CqEvent last = receive();
        assertThat(length()).as("as many as are outstanding").isEqualTo(2);
        assertThat(cq.ledger().holders()).isEmpty();
        cq.ackEvents(2);
        assertThat(held).hasSize(2 * SLACK).doesNotContain(last);
    }
}
