package io.loomverbs.internal.event;

/**
 * Replaces the carrier of the virtual thread that leads at one poller and blocks in the kernel, so
 * that other virtual threads can run.
 */
public interface Carriers {
    /** Status of the caller's loan. */
    enum Loan {
        /** No carrier is available: a platform thread must lead. */
        REFUSED,
        /** A carrier is on its way: the leader must let others run, and ask again. */
        COMING,
        /** Every ready virtual thread has a carrier, or will get one: the leader may block. */
        SERVING
    }

    /** The place where a leader blocks. */
    interface Borrower {
        /** Whether a virtual thread leads, and so may be in the kernel. */
        boolean isBlocking();

        /** Makes the leading virtual thread return from the kernel, and ask again. */
        void askAgain();
    }

    /**
     * Tells a leading virtual thread whether it may block. The first call adds a carrier.
     *
     * @param borrower always the same one
     */
    Loan ask(Borrower borrower);

    /** Called once, when no thread leads any more: gives the carrier back. */
    void giveBack();
}
