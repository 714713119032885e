package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.event.CqEvents;
import io.loomverbs.internal.event.EventQueue;

import org.junit.jupiter.api.Test;

/** An event is counted before the object that stands for it can be made. */
class UnmadeEventTest {
    @Test
    void anEventForWhichNoObjectCanBeMadeIsLeftForTheNext() {
        EventQueue queue = EventQueue.shared(null);
        CqEvents events = new CqEvents(queue); // no CqLedger
        events.raise();
        CqEvents taken = queue.tryTake();
        assertThatThrownBy(() -> CqEvent.of(taken)).isInstanceOf(ClassCastException.class);
        assertThat(events.outstanding()).isZero();
        assertThat(queue.tryTake()).isSameAs(events);
    }
}
