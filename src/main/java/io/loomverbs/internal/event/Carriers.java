package io.loomverbs.internal.event;

/**
 * Who pays for the carrier of a virtual thread that is about to block in the kernel. Other virtual
 * threads would miss it.
 */
public interface Carriers {
    /** Takes a carrier more into service; false if that cannot be done. */
    boolean borrow();

    /** What was borrowed is needed no longer. */
    void giveBack();
}
