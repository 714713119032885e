package io.loomverbs;

/** What {@link CompletionQueue#serve} runs for each batch of completions. */
@FunctionalInterface
public interface CompletionHandler {
    /**
     * Handles completions. It may block, and it may close the CQ that it serves.
     *
     * @param batch at least one completion; reused for the next call
     * @throws Exception to end serving; the thread ends with it
     */
    void handle(WorkCompletions batch) throws Exception;
}
