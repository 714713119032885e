package io.loomverbs;

import java.util.List;

/**
 * The CQs, completion channels and waiting threads of a context: see {@link Context#stats}.
 *
 * @param context the context, as in messages: the name of its device
 * @param cqs the open CQs, in the order of their creation
 * @param channels the open channels, in the order of their creation
 * @param waits the threads that wait: for events, for completions of a {@link CqGroup} with a CQ of
 *     this context or without any, in a close, and what {@link Context#addWaits} adds
 * @param unackedAsyncEvents how many asynchronous events were received and not acknowledged
 * @param problems what looks wrong, each in a sentence; empty if nothing does. In a healthy program
 *     something can look wrong for a moment, but it should not stay that way
 * @since 0.1.0
 */
public record ContextStats(
        String context,
        List<CqStats> cqs,
        List<ChannelStats> channels,
        List<WaitStats> waits,
        int unackedAsyncEvents,
        List<String> problems) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if an argument is null
     */
    public ContextStats {
        Arguments.notNull(context, "context");
        cqs = List.copyOf(cqs);
        channels = List.copyOf(channels);
        waits = List.copyOf(waits);
        problems = List.copyOf(problems);
    }
}
