package io.loomverbs.internal.event;

/**
 * A thread that waits, as it was at one moment.
 *
 * @param thread the thread
 * @param since when it came to wait, in terms of {@link System#nanoTime}, perhaps to a tenth of a
 *     second
 */
public record Waiting(Thread thread, long since) {}
