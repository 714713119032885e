package io.loomverbs.internal.ffi;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the users of something that the last one to leave closes. There is one at first: the
 * owner. Nobody waits: an owner that leaves before others need not know when they are done.
 */
public final class UseCount {
    private final AtomicInteger users = new AtomicInteger(1);

    /** One user more, who is to {@link #leave}. False if it is closed already, or about to be. */
    public boolean enter() {
        int n;
        do {
            n = users.get();
            if (n == 0) {
                return false;
            }
        } while (!users.compareAndSet(n, n + 1));
        return true;
    }

    /** Whether this was the last user, who is to close it. */
    public boolean leave() {
        return users.decrementAndGet() == 0;
    }
}
