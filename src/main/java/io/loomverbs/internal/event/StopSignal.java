package io.loomverbs.internal.event;

/**
 * Asks threads to stop waiting for events: those that wait in a queue now, once {@link
 * EventQueue#endWaits} is called for it, and those that come later with this signal.
 */
public final class StopSignal {
    /*
     * The thread that stops others gives the signal, then takes the queue's lock to look for those
     * that wait with it. A thread that comes to wait looks at the signal under that lock, then
     * joins those that wait. One of the two sees the other.
     */
    private volatile boolean given;

    /** Whether it was given. */
    public boolean isGiven() {
        return given;
    }

    /** Gives the signal; this is final. */
    public void give() {
        given = true;
    }
}
