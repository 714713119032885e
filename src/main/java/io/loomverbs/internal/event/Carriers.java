package io.loomverbs.internal.event;

/**
 * Pays for the carrier of the virtual thread that leads at one poller and is about to block in the
 * kernel. Other virtual threads would miss that carrier.
 */
public interface Carriers {
    /** The state of a loan. */
    enum Loan {
        /** There is no carrier to be had: a platform thread is to lead. */
        REFUSED,
        /** A carrier is on its way: the leader is to let others run, and to ask again. */
        COMING,
        /**
         * Every virtual thread that is ready has a carrier, or will get one: the leader may block.
         */
        SERVING
    }

    /** Where a leader blocks. */
    interface Borrower {
        /** Whether a virtual thread leads, and so may be in the kernel. */
        boolean isBlocking();

        /** Has the virtual thread that leads come back from the kernel, and ask again. */
        void askAgain();
    }

    /**
     * Tells a virtual thread that leads whether it may block. The first call takes another carrier
     * into service.
     *
     * @param borrower always the same one
     */
    Loan ask(Borrower borrower);

    /** No thread leads from now on: gives back what was taken, once. */
    void giveBack();
}
