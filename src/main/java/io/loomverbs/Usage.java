package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Supplier;

/**
 * How many objects were created from this one and are open. A count below zero means closed: no
 * user is added any more. One compare-and-set decides between a new user and a close.
 */
final class Usage {
    private static final int CLOSED = -1;
    private static final VarHandle USERS;

    static {
        try {
            USERS = MethodHandles.lookup().findVarHandle(Usage.class, "users", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Object owner;
    private volatile int users;

    Usage(Object owner) {
        this.owner = owner;
    }

    /**
     * Creates something that uses others: it counts as a user of all of them, or, if it cannot be
     * created, of none.
     *
     * @param verb what a failure of the device is reported as
     */
    static <T> T create(String verb, Supplier<T> creation, Usage... used) {
        int acquired = 0;
        boolean created = false;
        try {
            for (Usage usage : used) {
                usage.acquire();
                acquired++;
            }
            T result = creation.get();
            created = true;
            return result;
        } catch (DeviceException e) {
            throw VerbsException.of(verb, e);
        } finally {
            for (int i = 0; !created && i < acquired; i++) {
                used[i].release();
            }
        }
    }

    private void acquire() {
        int n;
        do {
            n = users;
            if (n < 0) {
                throw new ClosedException(owner);
            }
        } while (!USERS.compareAndSet(this, n, n + 1));
    }

    void release() {
        USERS.getAndAdd(this, -1);
    }

    /** Closes if nothing uses it; exactly one caller gets true. */
    boolean tryClose() {
        return USERS.compareAndSet(this, 0, CLOSED);
    }

    /** Takes a close back, by the one who did it. */
    void reopen() {
        users = 0;
    }

    boolean isClosed() {
        return users < 0;
    }

    int users() {
        return Math.max(0, users);
    }

    void ensureOpen() {
        if (users < 0) {
            throw new ClosedException(owner);
        }
    }
}
