package io.loomverbs.internal.event;

/**
 * Who pays for the carrier of a virtual thread that is about to block in the kernel. Other virtual
 * threads would miss it.
 */
public interface Carriers {
    /** Takes a carrier more into service; false if that cannot be done. */
    boolean borrow();

    /**
     * Whether the borrower may block: everybody who is ready to run has a carrier, or will get one.
     * Once that is so it stays so while the loan lasts. Until then the borrower is to yield and ask
     * again.
     */
    boolean mayBlock();

    /** What was borrowed is needed no longer. */
    void giveBack();
}
