package io.loomverbs.internal.event;

import java.util.function.IntSupplier;

/**
 * Keeps a native object from being destroyed while calls use it.
 *
 * <p>A device may refuse to destroy the object. So a call that meets an attempt parks until it has
 * ended: then either the object is destroyed and the call is refused, or everything is as before
 * and the call continues.
 */
public abstract class DestroyGate extends Awaited {
    DestroyGate() {}

    /**
     * Destroys the object once no call is inside. A thread that comes while another tries waits,
     * and tries itself if that one has failed.
     *
     * @param destruction destroys it; returns 0, or why it could not, after which the object is
     *     usable, as it is if this throws
     * @param ifDestroyed the result if the object is destroyed already
     * @return the result of {@code destruction}, or {@code ifDestroyed}
     */
    public final int destroy(IntSupplier destruction, int ifDestroyed) {
        while (!tryBegin()) {
            if (isDestroyed()) {
                return ifDestroyed;
            }
            awaitEnd();
        }
        boolean destroyed = false;
        try {
            awaitCalls();
            int outcome = destruction.getAsInt();
            destroyed = outcome == 0;
            return outcome;
        } finally {
            end(destroyed);
            ended();
        }
    }

    /** Whether the object is destroyed; final once true. */
    public abstract boolean isDestroyed();

    /** Makes calls wait from now on: true for one caller, until {@link #end}. */
    abstract boolean tryBegin();

    /** Waits until no call is inside. By the destroyer. */
    abstract void awaitCalls();

    /** The attempt has ended. By the destroyer. */
    abstract void end(boolean destroyed);
}
