package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.event.Awaited;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
final class Lifecycle extends Awaited {
    /*
     *   n >= 0    open, with n users
     *   CLOSING   one closer asks the device to destroy the object
     *   CLOSED    destroyed, finally
     */
    private static final int CLOSED = -1;
    private static final int CLOSING = -2;

    /** The result of {@link #close} when something uses the object; no device has that errno. */
    static final int IN_USE = Integer.MIN_VALUE;

    private static final VarHandle USERS;
    private static final VarHandle NAMED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            USERS = lookup.findVarHandle(Lifecycle.class, "users", int.class);
            NAMED = lookup.findVarHandle(Lifecycle.class, "named", Set.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Object owner;
    private volatile int users;

    /**
     * The users themselves, for messages: {@link #users} decides, this explains. Null before the
     * first, since most objects never have any.
     */
    private volatile @Nullable Set<Object> named;

    /** Null unless the object is tracked. */
    private final @Nullable OpenTicket ticket;

    /** Whether users stay reachable through the object, tracked or not. */
    private final boolean keepsUsers;

    /**
     * The objects that this one uses: it counts as a user of these until it is closed. Its elements
     * change only during a {@link #change}.
     */
    private final Lifecycle[] used;

    /**
     * @param used the objects that {@link #create} gets for it
     */
    Lifecycle(Object owner, Lifecycle... used) {
        this(owner, false, used);
    }

    private Lifecycle(Object owner, boolean keepsUsers, Lifecycle... used) {
        this.owner = owner;
        this.keepsUsers = keepsUsers;
        this.used = used;
        this.ticket = LeakDetection.ticketFor(owner);
    }

    /** For an object that returns its users to the program, as a channel does with its CQs. */
    static Lifecycle keepingUsers(Object owner, Lifecycle... used) {
        return new Lifecycle(owner, true, used);
    }

    /**
     * Creates something that uses others: it counts as a user of all of them, or, if it cannot be
     * created, of none.
     *
     * @param verb what a failure of the device is reported as
     * @param creation allocates the object, and only then has the device create it: an Error later
     *     would leave it without an owner
     */
    static <T> T create(String verb, Supplier<T> creation, Lifecycle... used) {
        int acquired = 0;
        T result = null;
        try {
            for (Lifecycle usage : used) {
                usage.acquire();
                acquired++;
            }
            result = creation.get();
        } catch (DeviceException e) {
            throw VerbsException.of(verb, e);
        } finally {
            for (int i = 0; result == null && i < acquired; i++) {
                used[i].leave();
            }
        }
        try {
            Lifecycle own = OpenObjects.usageOf(result);
            for (Lifecycle usage : used) {
                usage.name(usage.keyOf(result, own == null ? null : own.ticket));
            }
            if (own != null) {
                own.opened(result);
            }
        } catch (VirtualMachineError e) { // no memory, or no stack
            // The object is there, and belongs to the caller: messages do without its name.
        }
        return result;
    }

    private void acquire() {
        for (; ; ) {
            int n = users;
            if (n == CLOSED) {
                throw new ClosedException(owner);
            }
            if (n == CLOSING) {
                parkUntilEnd();
            } else if (USERS.compareAndSet(this, n, n + 1)) {
                return;
            }
        }
    }

    /** The object that stands for a user among the named ones. */
    private Object keyOf(Object user, @Nullable OpenTicket tracked) {
        return tracked == null || keepsUsers ? user : tracked;
    }

    private void name(Object user) {
        Set<Object> users = named;
        if (users == null) {
            NAMED.compareAndSet(this, null, ConcurrentHashMap.newKeySet(1));
            users = Objects.requireNonNull(named);
        }
        users.add(user);
    }

    /** An object that {@link #create} made is gone. */
    void release(Object user, @Nullable OpenTicket tracked) {
        try {
            Set<Object> users = named;
            if (users != null) {
                users.remove(keyOf(user, tracked));
            }
        } finally {
            leave();
        }
    }

    void leave() {
        USERS.getAndAdd(this, -1);
    }

    /**
     * The users of the object now, each once; one that is being added or removed may be left out.
     * In place of a user that the program has dropped, its {@link OpenTicket}.
     */
    List<Object> openUsers() {
        Set<Object> users = named;
        return users == null ? List.of() : users.stream().map(Lifecycle::userOf).toList();
    }

    private static Object userOf(Object key) {
        if (key instanceof OpenTicket ticket) {
            Object user = ticket.get();
            return user == null ? ticket : user;
        }
        return key;
    }

    /** Whether the object is reported if the program drops it. */
    boolean isTracked() {
        return ticket != null;
    }

    /** Where the object was created, if it is tracked. */
    @Nullable OpenTicket ticket() {
        return ticket;
    }

    /** The object is there, and has its name. */
    void opened(Object object) {
        if (ticket != null) {
            try {
                ticket.named(object.toString());
                LeakWatch.SHARED.opened(ticket);
            } catch (VirtualMachineError | LinkageError e) { // no memory: then it is not tracked
            }
        }
    }

    /**
     * Closes the object unless something uses it. A thread that meets another's close waits for it,
     * and tries itself if that one has failed.
     *
     * <p>A closed object stays closed, and has released what it used, even if an Error, such as
     * lack of stack, comes in between.
     *
     * @param destroy destroys it; returns 0, or why it could not, after which the object is open
     * @param afterwards what else to do once it is destroyed
     * @return 0 if the object is closed, now or since earlier; {@link #IN_USE}; or what {@code
     *     destroy} has returned
     */
    int close(IntSupplier destroy, Runnable afterwards) {
        int met = begin();
        if (met != 0) {
            return met == CLOSED ? 0 : met;
        }
        int outcome = IN_USE;
        try {
            outcome = destroy.getAsInt();
            if (outcome == 0) {
                afterwards.run();
            }
            return outcome;
        } finally {
            try {
                if (outcome == 0) {
                    if (ticket != null) {
                        LeakWatch.SHARED.closed(ticket);
                    }
                    releaseUsed();
                }
            } finally {
                users = outcome == 0 ? CLOSED : 0;
                ended();
            }
        }
    }

    /** Becomes the one closer: 0; or {@link #CLOSED} or {@link #IN_USE}, if it is. */
    private int begin() {
        while (!USERS.compareAndSet(this, 0, CLOSING)) {
            int n = users;
            if (n == CLOSED) {
                return CLOSED;
            }
            if (n > 0) {
                return IN_USE;
            }
            if (n == CLOSING) {
                parkUntilEnd();
            }
        }
        return 0;
    }

    /**
     * Changes the object unless something uses it. Meanwhile it is as if it were being closed: a
     * thread that wants to close, change or use it waits for the end.
     *
     * @return what {@code change} has returned, or {@link #IN_USE}
     * @throws ClosedException if it is closed
     */
    int change(IntSupplier change) {
        int met = begin();
        if (met == CLOSED) {
            throw new ClosedException(owner);
        }
        if (met != 0) {
            return met;
        }
        try {
            return change.getAsInt();
        } finally {
            users = 0;
            ended();
        }
    }

    /** Counts a user that is to come; {@link #replaceUsed} or {@link #leave} must follow. */
    void reserve() {
        acquire();
    }

    /**
     * The owner uses {@code next}, which it has reserved, in place of what it used first. During a
     * {@link #change}.
     */
    void replaceUsed(Lifecycle next) {
        Lifecycle before = used[0];
        used[0] = next;
        try {
            next.name(next.keyOf(owner, ticket));
        } catch (VirtualMachineError e) { // no memory: messages do without its name
        } finally {
            before.release(owner, ticket);
        }
    }

    private void releaseUsed() {
        Error met = null;
        for (Lifecycle usage : used) {
            try {
                usage.release(owner, ticket);
            } catch (Error e) { // the others are released nevertheless
                met = e;
            }
        }
        if (met != null) {
            throw met;
        }
    }

    /** Whether a closer is at work. */
    @Override
    protected boolean isPending() {
        return users == CLOSING;
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
