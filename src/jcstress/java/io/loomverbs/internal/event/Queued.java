package io.loomverbs.internal.event;

/** A shared queue and a CQ of it. */
abstract class Queued extends TimedWait {
    final EventQueue queue = EventQueue.shared(null);
    final QueuedCq cq = new QueuedCq(queue);

    Object take(long nanos) throws InterruptedException {
        return nanos == 0 ? queue.tryTake() : queue.take(nanos);
    }

    /** Waits for an event. */
    final String receive() {
        return Taking.of(() -> take(Patience.nanos()));
    }

    final String tryReceive() {
        return Taking.of(() -> take(0));
    }

    final String left() {
        return Taking.left(() -> take(0));
    }

    /** With one event in it. */
    abstract static class WithEvent extends Queued {
        WithEvent() {
            cq.raise();
        }
    }
}
