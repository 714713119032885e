package io.loomverbs.tools.storm;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The slot of a handler that waits for its own CQ. Endpoints come and go, the handler stays: a
 * virtual thread that is started under full load may not run before the load ends, since carriers
 * look at what was submitted from outside only when they have nothing else to do.
 */
final class EndpointSlot {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable StormEndpoint endpoint;
    private boolean closed;

    void take(StormEndpoint next) {
        lock.lock();
        try {
            endpoint = next;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for another endpoint than {@code served}; null when there will be none. */
    @Nullable StormEndpoint next(@Nullable StormEndpoint served) throws InterruptedException {
        lock.lock();
        try {
            while (endpoint == served && !closed) {
                changed.await();
            }
            return endpoint == served ? null : endpoint;
        } finally {
            lock.unlock();
        }
    }
}
