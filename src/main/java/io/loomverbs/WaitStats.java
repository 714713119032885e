package io.loomverbs;

/**
 * A thread that waits, parked or in the kernel on behalf of others.
 *
 * @param thread the name of the thread; empty if it has none
 * @param threadId its number ({@link Thread#threadId})
 * @param virtual whether it is a virtual thread
 * @param waitsFor what for, such as {@code an event of soft0/cq-1}
 * @param nanos how long it has waited, to a tenth of a second; or to a second, for a blocking
 *     request for which another thread polls. An {@code await} that got some of its completions
 *     counts from then on
 * @since 0.1.0
 */
public record WaitStats(
        String thread, long threadId, boolean virtual, String waitsFor, long nanos) {}
