package io.loomverbs.internal.event;

import java.util.function.IntSupplier;

/**
 * Keeps a native object from being destroyed while calls use it.
 *
 * <p>A device may refuse to destroy the object. So a call that meets an attempt waits, by parking,
 * until it has come to an end: then the object is destroyed and the call is refused, or all is as
 * before and the call goes on.
 */
public abstract class DestroyGate extends Awaited {
    DestroyGate() {}

    /**
     * Destroys the object once no call is inside. A thread that comes while another tries waits,
     * and tries itself if that one has failed.
     *
     * @param destruction destroys it; answers 0, or why not, after which the object is usable. So
     *     it is if this throws
     * @param ifDestroyed what to answer if the object is destroyed already
     * @return what {@code destruction} has answered, or {@code ifDestroyed}
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

    /** Whether the object is destroyed, for good. */
    public abstract boolean isDestroyed();

    /** Has calls wait from now on: true for one caller, until {@link #end}. */
    abstract boolean tryBegin();

    /** Waits until no call is inside. By the destroyer. */
    abstract void awaitCalls();

    /** The attempt has come to an end. By the destroyer. */
    abstract void end(boolean destroyed);
}
