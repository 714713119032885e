package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Counts the open objects that were created from an object, and records whether it is closed
 * itself.
 *
 * <p>One compare-and-set decides between a new user and a close. While one thread destroys the
 * object, threads that want to close it too, or to create something from it, wait for the outcome:
 * the device may refuse, and then the object is open as before.
 */
final class Lifecycle {
    /*
     *   n >= 0    open, with n users
     *   CLOSING   one closer asks the device to destroy the object
     *   CLOSED    destroyed, finally
     *
     * A waiter pushes a node (a volatile CAS), then reads the state again, then parks; the closer
     * writes the state, then takes all nodes. One of the two sees the other. A taken node is not
     * reused: if the state is CLOSING again by then, the waiter pushes another one.
     */
    private static final int CLOSED = -1;
    private static final int CLOSING = -2;

    /** What {@link #close} answers when something uses the object; no device has that errno. */
    static final int IN_USE = Integer.MIN_VALUE;

    private static final VarHandle USERS;
    private static final VarHandle WAITING;
    private static final VarHandle NAMED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            USERS = lookup.findVarHandle(Lifecycle.class, "users", int.class);
            WAITING = lookup.findVarHandle(Lifecycle.class, "waiting", Waiting.class);
            NAMED = lookup.findVarHandle(Lifecycle.class, "named", Set.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Object owner;
    private volatile int users;

    /** Top of the stack of threads that wait for a closer. Changed by atomic operations only. */
    private volatile @Nullable Waiting waiting;

    /**
     * The users themselves, for messages: {@link #users} decides, this explains. Null before the
     * first, since most objects never have any.
     */
    private volatile @Nullable Set<Object> named;

    private static final class Waiting {
        private final Thread thread = Thread.currentThread();
        private final @Nullable Waiting next;
        private volatile boolean over;

        Waiting(@Nullable Waiting next) {
            this.next = next;
        }
    }

    Lifecycle(Object owner) {
        this.owner = owner;
    }

    /**
     * Creates something that uses others: it counts as a user of all of them, or, if it cannot be
     * created, of none.
     *
     * @param verb what a failure of the device is reported as
     */
    static <T> T create(String verb, Supplier<T> creation, Lifecycle... used) {
        int acquired = 0;
        boolean created = false;
        try {
            for (Lifecycle usage : used) {
                usage.acquire();
                acquired++;
            }
            T result = creation.get();
            created = true;
            name(Objects.requireNonNull(result), used);
            return result;
        } catch (DeviceException e) {
            throw VerbsException.of(verb, e);
        } finally {
            for (int i = 0; !created && i < acquired; i++) {
                used[i].leave();
            }
        }
    }

    private void acquire() {
        for (; ; ) {
            int n = users;
            if (n == CLOSED) {
                throw new ClosedException(owner);
            }
            if (n == CLOSING) {
                awaitCloser();
            } else if (USERS.compareAndSet(this, n, n + 1)) {
                return;
            }
        }
    }

    private static void name(Object user, Lifecycle... used) {
        try {
            for (Lifecycle usage : used) {
                usage.name(user);
            }
        } catch (VirtualMachineError e) { // no memory, or no stack
            // The object is there, and belongs to the caller: messages do without its name.
        }
    }

    private void name(Object user) {
        Set<Object> users = named;
        if (users == null) {
            NAMED.compareAndSet(this, null, ConcurrentHashMap.newKeySet(1));
            users = Objects.requireNonNull(named);
        }
        users.add(user);
    }

    /** What {@link #create} has made for this one is gone. Once for each time that it was named. */
    void release(Object user) {
        Set<Object> users = named;
        if (users != null) {
            users.remove(user);
        }
        leave();
    }

    private void leave() {
        USERS.getAndAdd(this, -1);
    }

    /** What uses the object now, each once; what comes or goes just now may be left out. */
    List<Object> openUsers() {
        Set<Object> users = named;
        return users == null ? List.of() : List.copyOf(users);
    }

    /**
     * Closes the object unless something uses it. A thread that meets another's close waits for it,
     * and tries itself if that one has failed.
     *
     * @param destroy destroys it; answers 0, or why not, after which the object is open
     * @param afterwards lets go of what it used, once it is destroyed: it stays closed even if this
     *     fails
     * @return 0 if the object is closed, now or since earlier; {@link #IN_USE}; or what {@code
     *     destroy} has answered
     */
    int close(IntSupplier destroy, Runnable afterwards) {
        while (!USERS.compareAndSet(this, 0, CLOSING)) {
            int n = users;
            if (n == CLOSED) {
                return 0;
            }
            if (n > 0) {
                return IN_USE;
            }
            if (n == CLOSING) {
                awaitCloser();
            }
        }
        int outcome = IN_USE;
        try {
            outcome = destroy.getAsInt();
            if (outcome == 0) {
                afterwards.run();
            }
            return outcome;
        } finally {
            users = outcome == 0 ? CLOSED : 0;
            wakeAll();
        }
    }

    /** Parks until the closer has come to an end. Interruption does not end it; it is restored. */
    private void awaitCloser() {
        Waiting top;
        Waiting me;
        do {
            top = waiting;
            me = new Waiting(top);
        } while (!WAITING.compareAndSet(this, top, me));
        boolean interrupted = false;
        while (users == CLOSING && !me.over) {
            LockSupport.park(this);
            // While interrupted, park returns at once: the status is put aside.
            interrupted |= Thread.interrupted();
        }
        if (!me.over) {
            wakeAll(); // the closer has not seen this thread, which must not stay in the list
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void wakeAll() {
        if (waiting == null) {
            return;
        }
        Waiting first = (Waiting) WAITING.getAndSet(this, null);
        for (Waiting w = first; w != null; w = w.next) {
            w.over = true;
            LockSupport.unpark(w.thread);
        }
    }

    boolean isClosed() {
        return users == CLOSED;
    }

    int users() {
        return Math.max(0, users);
    }

    void ensureOpen() {
        if (users == CLOSED) {
            throw new ClosedException(owner);
        }
    }
}
