package io.loomverbs;

/**
 * Handles the batches of completions of {@link CompletionQueue#serve}.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface CompletionHandler {
    /**
     * Handles completions. It can block, and it can close the CQ that it serves.
     *
     * @param batch at least one completion; reused for the next call
     * @throws Exception to report a failure; {@link FailurePolicy} says what follows. {@link
     *     InterruptedException} ends serving
     */
    void handle(WorkCompletions batch) throws Exception;
}
