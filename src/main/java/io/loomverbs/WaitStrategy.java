package io.loomverbs;

/**
 * How a thread waits for completions of a CQ, in {@link CompletionQueue#await} and {@link
 * CompletionQueue#serve}. The program gives it when it creates the CQ ({@link
 * Context#createDirectCq(int, WaitStrategy)}), or for one wait.
 *
 * <p>Whatever the strategy, a wait returns at once if completions are there, and ends by
 * completions, an interrupt, a timeout, a close, or a failure of the CQ. Strategies can be mixed:
 * one thread can poll a CQ while another waits for its events.
 *
 * <p>On a single processor, which the peer may need, all strategies wait as {@link #EVENTS} does.
 * The number of processors is read once; it takes the affinity and the quota of the process into
 * account.
 *
 * @since 0.1.0
 */
public enum WaitStrategy {
    /** Arms the CQ, polls once more, and parks until an event is raised. Uses no CPU meanwhile. */
    EVENTS,

    /**
     * Polls until completions are there; never arms the CQ and never parks for an event. A virtual
     * thread lets others have the carrier after some polls; a platform thread does not. For a
     * thread that owns a processor.
     */
    POLLING,

    /**
     * Polls for a while, some 20 microseconds at most, if completions of this CQ have lately come
     * soon after a wait began; otherwise, and afterwards, waits as {@link #EVENTS} does. A virtual
     * thread lets others have the carrier after some polls. The default.
     */
    ADAPTIVE
}
