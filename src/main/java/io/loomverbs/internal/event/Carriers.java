package io.loomverbs.internal.event;

/**
 * Who pays for the carrier of a virtual thread that is about to block in the kernel. Other virtual
 * threads would miss it.
 */
public interface Carriers {
    /** What has come of {@link #borrow}. */
    enum Loan {
        /** None can be had, and never will. */
        REFUSED,
        /** It is on its way: the borrower is to ask {@link #mayBlock} first. */
        COMING,
        /** It has been serving others all along: the borrower may block. */
        SERVING
    }

    /**
     * Takes a carrier more into service.
     *
     * @param source where the borrower is about to wait. It is woken when others are found to miss
     *     a carrier, for the borrower to ask {@link #mayBlock} again
     */
    Loan borrow(EventSource source);

    /**
     * Whether the borrower may block: everybody who is ready to run has a carrier, or will get one.
     * Until then the borrower is to let others run, and ask again.
     */
    boolean mayBlock();

    /** What was borrowed is needed no longer. */
    void giveBack(EventSource source);
}
