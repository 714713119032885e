package io.loomverbs.internal.event;

/**
 * Who pays for the carrier of a virtual thread that is about to block in the kernel. Other virtual
 * threads would miss it.
 */
public interface Carriers {
    /** How it stands with what was borrowed. */
    enum Loan {
        /** None can be had, and never will. */
        REFUSED,
        /** It is on its way: the borrower is to let others run, and {@link #ask} again. */
        COMING,
        /** Everybody who is ready to run has a carrier, or will get one: the borrower may block. */
        SERVING
    }

    /**
     * Takes a carrier more into service.
     *
     * @param source where the borrower is about to wait. It is woken when others are found to miss
     *     a carrier, for the borrower to {@link #ask}
     */
    Loan borrow(EventSource source);

    /** How it stands by now, for who has borrowed. What is refused is still to be given back. */
    Loan ask();

    /** What was borrowed is needed no longer. */
    void giveBack(EventSource source);
}
