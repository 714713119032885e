package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.QueuedCq;

import org.junit.jupiter.api.Test;

/** An event is counted before the object that stands for it can be made. */
class UnmadeEventTest {
    @Test
    void anEventForWhichNoObjectCanBeMadeIsLeftForTheNext() {
        EventQueue queue = EventQueue.shared(null);
        QueuedCq events = new QueuedCq(queue); // no CqDelivery
        events.raise();
        QueuedCq taken = queue.tryTake();
        assertThatThrownBy(() -> CqEvent.of(taken)).isInstanceOf(ClassCastException.class);
        assertThat(events.outstanding()).isZero();
        assertThat(queue.tryTake()).isSameAs(events);
    }
}
