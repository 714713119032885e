package io.loomverbs;

import org.jspecify.annotations.Nullable;

/**
 * The state of a completion channel, and what has happened to it since it was created.
 *
 * @param channel the channel, as in messages
 * @param name its name ({@link CompletionChannel#name}), or null
 * @param cqs how many CQs deliver to it
 * @param events how many events were given to threads, including those that {@code serve} raises
 *     itself to let CQs take turns
 * @param waiters how many threads wait for its events
 * @param servers how many threads serve it
 * @since 0.1.0
 */
public record ChannelStats(
        String channel, @Nullable String name, int cqs, long events, int waiters, int servers) {}
