package io.loomverbs;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;

/** {@link Lifecycle} with one fault. Whatever changes there is to be changed here. */
final class FaultyLifecycle {
    /** What is wrong. */
    enum Fault {
        /** A new user looks whether it is closed, then counts itself. */
        ACQUIRE_CHECKS_FIRST,
        /** A close looks for users, then closes. */
        CLOSE_CHECKS_FIRST,
        /** A user leaves without an atomic operation. */
        RELEASE_NOT_ATOMIC,
        /** Who comes while another closes takes it to be closed. */
        SAYS_CLOSED_TOO_EARLY,
        /** The first user looks whether there is a set of names, then puts one there. */
        NAMES_CHECK_FIRST
    }

    private static final VarHandle USERS;

    static {
        try {
            USERS = MethodHandles.lookup().findVarHandle(FaultyLifecycle.class, "users", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Fault fault;
    private volatile int users;
    private volatile @Nullable Set<Object> named;

    FaultyLifecycle(Fault fault) {
        this.fault = fault;
    }

    boolean acquire() {
        int n;
        do {
            n = users;
            if (n < 0) {
                return false;
            }
            if (fault == Fault.ACQUIRE_CHECKS_FIRST) {
                USERS.getAndAdd(this, 1);
                return true;
            }
        } while (!USERS.compareAndSet(this, n, n + 1));
        return true;
    }

    /** The part of {@link Lifecycle#create} that keeps a new user's name. */
    void name(Object user) {
        Set<Object> set = named;
        if (set == null) {
            if (fault == Fault.NAMES_CHECK_FIRST) {
                pause();
            }
            set = ConcurrentHashMap.newKeySet(1);
            named = set;
        }
        set.add(user);
    }

    int openUsers() {
        Set<Object> set = named;
        return set == null ? 0 : set.size();
    }

    void release() {
        if (fault == Fault.RELEASE_NOT_ATOMIC) {
            int n = users;
            pause();
            users = n - 1;
        } else {
            USERS.getAndAdd(this, -1);
        }
    }

    int close(IntSupplier destroy) {
        if (fault == Fault.CLOSE_CHECKS_FIRST) {
            if (users != 0) {
                return Lifecycle.IN_USE;
            }
            pause();
            users = -1;
        } else if (!USERS.compareAndSet(this, 0, -1)) {
            return users < 0 ? 0 : Lifecycle.IN_USE;
        }
        int outcome = destroy.getAsInt();
        users = outcome == 0 ? -1 : 0;
        return outcome;
    }

    boolean isClosed() {
        return users < 0;
    }

    /** Shows the fault more often than it would show by itself. */
    static void pause() {
        for (int i = 0; i < 20; i++) {
            Thread.onSpinWait();
        }
    }

    int users() {
        return users;
    }
}
