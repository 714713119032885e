package io.loomverbs.blocking;

import io.loomverbs.QpConfig;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/**
 * How {@link Requests} use a queue pair. Start with {@link #of}; each {@code with} method gives a
 * changed copy.
 *
 * @param sends how many requests are in the send queue at most; 0 for as many as the queue pair and
 *     its CQ hold
 * @param receives how many receives are kept posted; 0 for none
 * @param pool where the buffers of the receives come from; null if there are none
 * @param timeout how long a blocking call waits; null for no limit
 * @since 0.1.0
 */
public record RequestsConfig(
        int sends, int receives, @Nullable BufferPool pool, @Nullable Duration timeout) {
    /**
     * Checks everything that does not depend on a queue pair.
     *
     * @throws IllegalArgumentException if a number or the timeout is negative, or there are
     *     receives and no pool
     */
    public RequestsConfig {
        Check.inRange("sends", sends, 0, Integer.MAX_VALUE, "0 for all that fit");
        Check.inRange("receives", receives, 0, Integer.MAX_VALUE, "0 for none");
        if (receives > 0 && pool == null) {
            throw new IllegalArgumentException(
                    "receives is " + receives + ", but pool is null: their buffers come from it");
        }
        if (timeout != null) {
            Check.nanos("timeout", timeout);
        }
    }

    /**
     * As many requests as the queue pair and its CQ hold, no receives, and no timeout.
     *
     * @return the configuration
     */
    public static RequestsConfig of() {
        return new RequestsConfig(0, 0, null, null);
    }

    /**
     * Keeps receives posted, with buffers that are taken from a pool at once and given back when
     * the {@link Requests} are closed.
     *
     * @param count how many; at most the {@link QpConfig#maxRecvWr} of the queue pair
     * @param from the pool; a buffer holds one message
     * @return a changed copy
     */
    public RequestsConfig withReceives(int count, BufferPool from) {
        return new RequestsConfig(sends, count, Check.notNull(from, "from"), timeout);
    }

    /**
     * Limits how many requests are in the send queue at once.
     *
     * @param most at most the {@link QpConfig#maxSendWr} of the queue pair; 0 for all that fit
     * @return a changed copy
     */
    public RequestsConfig withSends(int most) {
        return new RequestsConfig(most, receives, pool, timeout);
    }

    /**
     * Limits how long a blocking call waits, also one that starts a request while the send queue is
     * full. A {@link Pending} has its own limits.
     *
     * @param limit how long; zero only polls
     * @return a changed copy
     */
    public RequestsConfig withTimeout(Duration limit) {
        return new RequestsConfig(sends, receives, pool, Check.notNull(limit, "limit"));
    }
}
