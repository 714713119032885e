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

    /** Two virtual threads wait in it, and what happens to them may fail. */
    abstract static class AwaitedByTwo extends Queued {
        private final OnVirtualThread<String> one = OnVirtualThread.start(this::receive);
        private final OnVirtualThread<String> two = OnVirtualThread.start(this::receive);
        private volatile String failure = "";

        /** Does something that may throw, which is a part of the outcome then. */
        final void mayFail(Runnable call) {
            try {
                call.run();
            } catch (RuntimeException e) {
                failure = ", " + e;
            }
        }

        /** What came of both, in the order of words: either may have waited longer. */
        final String both() {
            String a = one.join();
            String b = two.join();
            return (a.compareTo(b) < 0 ? a + " and " + b : b + " and " + a) + failure;
        }
    }
}
