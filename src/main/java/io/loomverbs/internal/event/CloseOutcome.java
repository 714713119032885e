package io.loomverbs.internal.event;

/** How a close ended. */
public enum CloseOutcome {
    /** The object is destroyed, by this close or an earlier one. */
    CLOSED,
    /** Events were still outstanding at the deadline; the object is open. */
    TIMED_OUT,
    /** {@link Closer#keepWaiting} said no; the object is open. */
    GAVE_UP,
    /** {@link Closer#destroy} said no; the object is open. */
    REFUSED
}
