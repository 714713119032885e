package io.loomverbs.blocking;

import io.loomverbs.SendWorkRequest;

/**
 * Describes a request that {@link Requests} have no method for.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface Description {
    /**
     * Chooses the operation and names the memory. The number, the next request and whether it is
     * signaled are set by {@link Requests}.
     *
     * @param request an empty request, with room for what the queue pair takes
     */
    void describe(SendWorkRequest request);
}
