package io.loomverbs.tools.storm;

/** How completion events reach the handlers of a storm. */
public enum StormDelivery {
    /** Handlers wait on channels, and serve whichever CQ an event names. */
    CHANNEL,
    /** Each handler waits for a CQ of its own. */
    DIRECT
}
