package io.loomverbs.blocking;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Memory that was lent: it is returned once the borrower has closed it and no request uses it any
 * more, whichever comes last.
 */
abstract class Loan implements Goal {
    /*
     * One word: how many requests use the memory, and whether the borrower has closed it. The
     * change that leaves CLOSED and no user gives the memory back, so that happens once.
     */
    private static final int CLOSED = 1 << 31;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Loan.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int state;

    /** Whose requests have used the memory, the latest first. Changed under the lock of this. */
    private volatile @Nullable User users;

    /** Threads that wait until it has gone back. Changed under the lock of this. */
    private volatile @Nullable Parked waiters;

    record User(Attachment requests, @Nullable User earlier) {}

    /** Returns the memory to where it came from. Called once. */
    abstract void giveBack();

    boolean isClosed() {
        return state < 0;
    }

    /** A request begins to use the memory; false if the borrower has closed it. */
    boolean use(Attachment by) {
        User latest = users;
        if (latest == null || latest.requests != by) {
            addUser(by);
        }
        int s;
        do {
            s = state;
            if (s < 0) {
                return false;
            }
        } while (!STATE.compareAndSet(this, s, s + 1));
        return true;
    }

    private synchronized void addUser(Attachment by) {
        for (User u = users; u != null; u = u.earlier) {
            if (u.requests == by) {
                return;
            }
        }
        users = new User(by, users);
    }

    /** A request is done with the memory. */
    void release() {
        if ((int) STATE.getAndAdd(this, -1) - 1 == CLOSED) {
            giveBack();
            for (Parked w = waiters; w != null; w = w.below) {
                w.wake();
            }
        }
    }

    /**
     * The borrower no longer needs the memory. If requests still use it, it is returned later, and
     * a thread ensures that: otherwise no thread might wait for those requests.
     */
    void close() {
        int before = (int) STATE.getAndBitwiseOr(this, CLOSED);
        if (before == 0) {
            giveBack();
        } else if (before > 0) {
            for (User u = users; u != null; u = u.earlier) {
                Attachment requests = u.requests;
                Thread.ofVirtual()
                        .name("loomverbs-return " + requests)
                        .inheritInheritableThreadLocals(false)
                        .start(() -> requests.sends().awaitQuietly(new Returned(requests)));
            }
        }
    }

    /**
     * The goal that a user's requests no longer use the memory. Those of others may: that is no
     * reason to poll the CQ of this user once it has closed.
     */
    final class Returned implements Goal {
        private final Attachment user;

        Returned(Attachment user) {
            this.user = user;
        }

        @Override
        public String what() {
            return Loan.this.what();
        }

        @Override
        public boolean isReached() {
            return Loan.this.isReached() || user.isClosed();
        }

        @Override
        public void enlist(Parked w) {
            Loan.this.enlist(w);
        }

        @Override
        public void leave(Parked w) {
            Loan.this.leave(w);
        }
    }

    @Override
    public String what() {
        return "the end of the requests that use " + this;
    }

    @Override
    public boolean isReached() {
        return state == CLOSED;
    }

    @Override
    public synchronized void enlist(Parked w) {
        w.below = waiters;
        waiters = w;
    }

    @Override
    public void leave(Parked w) {
        // The loan is dropped with its waiters.
    }
}
