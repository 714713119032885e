package io.loomverbs.walk;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.Deque;

/** A CQ and what must hold of it: its events. */
final class TameCq {
    final CompletionQueue cq;
    final @Nullable CompletionChannel channel;
    final Deque<CqEvent> held = new ArrayDeque<>();
    boolean closed;
    boolean overrun;

    /** Arms that may still raise an event. */
    int arms;

    /** It was armed for all completions while it was empty, and nothing was found in it since. */
    boolean surelyArmed;

    /** A completion has come since, so that an event must have been raised. */
    boolean eventDue;

    /** Received and not acknowledged. */
    int outstanding;

    TameCq(CompletionQueue cq) {
        this.cq = cq;
        this.channel = cq.channel();
    }

    boolean raisesEvents() {
        return cq.isDirect() || channel != null;
    }

    /** An event was received. */
    void received(CqEvent event) {
        if (event.cq() != cq) {
            throw new AssertionError(event + " is not of " + cq);
        }
        if (closed) {
            throw new AssertionError(event + " is delivered after the close");
        }
        if (--arms < 0) {
            throw new AssertionError(event + ": more events than arms");
        }
        eventDue = false;
        outstanding++;
        held.add(event);
    }

    void check() {
        if (!closed && cq.unackedEvents() != outstanding) {
            throw new AssertionError(
                    cq + " has " + cq.unackedEvents() + " unacknowledged, not " + outstanding);
        }
    }

    @Override
    public String toString() {
        return cq.toString();
    }
}
