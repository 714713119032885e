package io.loomverbs;

/**
 * What happens when the handler of a {@link Serving} throws.
 *
 * @since 0.1.0
 */
public enum FailurePolicy {
    /**
     * The thread's uncaught exception handler receives the exception, and serving continues with
     * the next batch. Completions of the failed batch are not passed to the handler again. The same
     * holds for Errors, such as {@link StackOverflowError} and {@link OutOfMemoryError}.
     *
     * <p>This is the default: a CQ that no thread serves any more overruns, and takes its queue
     * pairs into the error state.
     */
    REPORT,

    /**
     * The thread ends with the exception: {@link Serving#run} throws it, so that an executor or a
     * task scope learns of it; a thread of {@link Serving#start} hands it to its uncaught exception
     * handler. A checked exception is the cause of an {@link IllegalStateException}. Serving stops
     * as if by {@link Serving#stop}, but without draining: completions that were not polled stay in
     * the CQ.
     */
    STOP
}
