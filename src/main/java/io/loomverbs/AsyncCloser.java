package io.loomverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.CloseOutcome;
import io.loomverbs.internal.event.Closer;
import io.loomverbs.internal.event.Ledger;

import org.jspecify.annotations.Nullable;

import java.util.function.Supplier;

/** One attempt to close an object whose only events are asynchronous ones. */
final class AsyncCloser implements Closer {
    private final Object owner;
    private final AsyncEvents events;
    private final Supplier<@Nullable VerbsException> destruction;
    private @Nullable VerbsException refusal;

    /**
     * @param destruction destroys the object and releases what it used; returns null, or why it
     *     could not
     */
    AsyncCloser(Object owner, AsyncEvents events, Supplier<@Nullable VerbsException> destruction) {
        this.owner = owner;
        this.events = events;
        this.destruction = destruction;
    }

    /**
     * Waits until every received event is acknowledged, then destroys the object.
     *
     * @param verb what a failure is reported as
     */
    void close(Ledger ledger, String verb) {
        CloseOutcome outcome;
        try {
            outcome = ledger.close(Long.MAX_VALUE, this);
        } finally { // also if the device throws
            if (!ledger.isClosed()) {
                events.recheck();
            }
        }
        if (outcome == CloseOutcome.REFUSED && refusal != null) {
            throw refusal;
        } else if (outcome != CloseOutcome.CLOSED) {
            throw new VerbsException(
                    verb,
                    Errno.EDEADLK,
                    "this thread would wait for itself: it holds asynchronous events of " + owner);
        }
    }

    @Override
    public boolean destroy() {
        refusal = destruction.get();
        return refusal == null;
    }

    @Override
    public boolean keepWaiting(long waitedNanos) {
        return !events.isHeldHere(owner);
    }
}
