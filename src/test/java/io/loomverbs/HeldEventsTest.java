package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.event.QueuedCq;
import io.loomverbs.internal.soft.FreshDevice;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

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

    private CqEvent receiveElsewhere() throws InterruptedException {
        AtomicReference<CqEvent> received = new AtomicReference<>();
        Thread other = Thread.ofVirtual().start(() -> received.set(receive()));
        other.join();
        return received.get();
    }

    /** An event that a thread was given and has not recorded yet. */
    private QueuedCq taken() {
        cq.listener().completionEvent();
        return cq.ledger().queue().tryTake();
    }

    /** A count does not say whose event it was, nor do later events of one thread tell. */
    @Test
    void noThreadIsNamedAfterACountWhileSeveralHoldEvents() throws Exception {
        CqEvent mine = receive();
        CqEvent one = receiveElsewhere();
        assertThat(cq.ledger().holders()).hasSize(2);
        CqEvent two = receiveElsewhere();
        cq.ackEvents(1);
        assertThat(cq.ledger().holders()).isEmpty();
        cq.ackEvents(2);
        assertThat(List.of(mine, one, two)).hasSize(3);
    }

    @Test
    void noThreadIsNamedAfterACountWhileTheLastHoldsSeveral() throws Exception {
        AtomicReference<CqEvent> last = new AtomicReference<>();
        CqEvent mine = receive();
        Thread other =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    receive();
                                    last.set(receive());
                                });
        other.join();
        cq.ackEvents(1);
        assertThat(cq.ledger().holders()).isEmpty();
        cq.ackEvents(2);
        assertThat(List.of(mine, last.get())).hasSize(2);
    }

    /** An event that is received as its CQ alone is in no record, from then on. */
    @Test
    void noThreadIsNamedOnceAnEventWithoutAnObjectWasReceived() {
        CqEvent mine = receive();
        assertThat(CqEvent.cqOf(taken())).isSameAs(cq);
        assertThat(cq.ledger().holders()).isEmpty();
        cq.ackEvents(1);
        mine.close();
        CqEvent later = receive();
        assertThat(cq.ledger().holders()).isEmpty();
        later.close();
    }

    /** A count may mean an event that its thread records only afterwards. */
    @Test
    void noThreadIsNamedForAnEventThatWasCountedBeforeItWasRecorded() throws Exception {
        CqEvent mine = receive();
        QueuedCq late = taken();
        cq.ackEvents(2);
        CqEvent recorded = CqEvent.of(late);
        QueuedCq other = taken();
        assertThat(cq.ledger().holders()).isEmpty();
        cq.ackEvents(1);
        assertThat(List.of(mine, recorded)).hasSize(2);
        assertThat(other).isSameAs(late);
    }

    /** It has been subtracted, and is not marked yet. */
    @Test
    void noThreadIsNamedIfTheOthersMayHoldWhatIsLeft() throws Exception {
        CqEvent mine = receive();
        CqEvent other = receiveElsewhere();
        cq.ledger().tryAck(1);
        assertThat(cq.ledger().holders()).isEmpty();
        cq.ackEvents(1);
        assertThat(List.of(mine, other)).hasSize(2);
    }

    @Test
    void whatWasCountedIsNotKept() throws Exception {
        receive();
        receive();
        CqEvent last = receive();
        cq.ackEvents(2);
        assertThat(length()).isOne();
        cq.ackEvents(1);
        assertThat(length()).isZero();
        assertThat(last.holder()).isNull();
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
