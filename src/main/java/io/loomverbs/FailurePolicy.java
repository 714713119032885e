package io.loomverbs;

/**
 * What happens when the handler of a {@link Serving} throws.
 *
 * @since 0.1.0
 */
public enum FailurePolicy {
    /**
     * The thread's uncaught exception handler receives what was thrown, and serving goes on with
     * the next batch. Completions of the failed batch are not handed to the handler again. For
     * Errors, too, such as {@link StackOverflowError} and {@link OutOfMemoryError}.
     *
     * <p>This is the default: a CQ that no thread serves any more overruns, and takes its queue
     * pairs into the error state.
     */
    REPORT,

    /**
     * The thread ends with what was thrown: {@link Serving#run} throws it, so that an executor or a
     * task scope learns of it; a thread of {@link Serving#start} hands it to its uncaught exception
     * handler. A checked exception is the cause of an {@link IllegalStateException}. Serving stops
     * as if by {@link Serving#stop}, but without draining: what was not polled stays in the CQ.
     */
    STOP
}
