package io.loomverbs;

/**
 * Handles the batches of completions of the CQs of a channel: {@link CompletionChannel#serve}.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface ChannelHandler {
    /**
     * Handles completions of one CQ. It can block, and it can close the CQ. While it runs, no other
     * thread of this {@link Serving} handles completions of the same CQ.
     *
     * @param cq the CQ that they come from; {@link CompletionQueue#cqContext} returns the object
     *     that belongs to it
     * @param batch at least one completion; reused for the next call of this thread
     * @throws Exception to report a failure; {@link FailurePolicy} says what follows. {@link
     *     InterruptedException} ends the thread's part in serving
     */
    void handle(CompletionQueue cq, WorkCompletions batch) throws Exception;
}
