package io.loomverbs.internal.event;

/** A shared queue and a CQ of it. */
abstract class Queued extends TimedWait {
    final EventQueue queue = EventQueue.shared(null);
    final QueuedCq cq = new QueuedCq(queue);

    /** Waits for an event. */
    final String receive() {
        return Taking.of(() -> queue.take(Patience.nanos()));
    }

    final String tryReceive() {
        return Taking.of(queue::tryTake);
    }

    final String left() {
        return Taking.left(queue::tryTake);
    }

    /** With one event in it. */
    abstract static class WithEvent extends Queued {
        WithEvent() {
            cq.raise();
        }
    }
}
