package io.loomverbs.internal.event;

/** What {@link Ledger#close} asks of the object's owner. Called on the closing thread, unlocked. */
public interface Closer {
    /** Destroys the object, after which it raises no events; false if that was refused. */
    boolean destroy();

    /**
     * Called about once a second while events are outstanding.
     *
     * @return whether to go on waiting
     */
    boolean keepWaiting(long waitedNanos);
}
