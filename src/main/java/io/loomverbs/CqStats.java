package io.loomverbs;

import org.jspecify.annotations.Nullable;

/**
 * The state of a CQ, and what has happened to it since it was created. Each number was correct at
 * some moment of the call that returned it, but not all at the same moment.
 *
 * @param cq the CQ, as in messages
 * @param name its name ({@link CompletionQueue#name}), or null
 * @param channel the channel that receives its events, as in messages; null for a CQ with direct
 *     delivery, or without events
 * @param events how many events the device has raised
 * @param completions how many completions were polled
 * @param arms how often it was armed
 * @param emptyWakeUps how often an event woke {@code await} or a handler of {@code serve}, and
 *     there were no completions; a program that polls by itself is not counted
 * @param pendingEvents how many events no thread has received yet. An event of a libibverbs device
 *     that is still in the kernel is not counted, here and in {@code events}
 * @param unackedEvents how many events were received and not acknowledged
 * @param oldestUnackedNanos how long ago the oldest of these was received, if the system property
 *     {@code loomverbs.trackEvents} is true; else -1. If some were acknowledged by count, the
 *     oldest may be one of those
 * @param waiters how many threads wait for this CQ alone
 * @param handling whether the handler of {@code serve} runs for it
 * @since 0.1.0
 */
public record CqStats(
        String cq,
        @Nullable String name,
        @Nullable String channel,
        long events,
        long completions,
        long arms,
        long emptyWakeUps,
        int pendingEvents,
        int unackedEvents,
        long oldestUnackedNanos,
        int waiters,
        boolean handling) {}
