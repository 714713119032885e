package io.loomverbs.internal.ffi;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the users of an object that the last user closes. The first user is the owner. No user
 * waits: the owner need not know when the others are done.
 */
public final class UseCount {
    private final AtomicInteger users = new AtomicInteger(1);

    /**
     * Adds a user, which must {@link #leave}. False if the object is closed already, or about to
     * be.
     */
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

    /** Removes a user. True if it was the last, which must close the object. */
    public boolean leave() {
        return users.decrementAndGet() == 0;
    }
}
