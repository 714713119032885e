package io.loomverbs.internal.softcm;

import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmListener;

import org.jspecify.annotations.Nullable;

/**
 * The work that a step under the manager's lock leaves for when the lock is released.
 *
 * @param result 0 or a negative errno, for the caller
 * @param to receives the event; null if there is none
 * @param event of an id; null if there is none
 */
record Raised(int result, @Nullable CmListener to, @Nullable CmEvent event) {
    static final Raised NOTHING = new Raised(0, null, null);

    static Raised refused(int errno) {
        return new Raised(-errno, null, null);
    }
}
