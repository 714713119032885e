/**
 * The heart: how completion events are delivered, waited for, acknowledged, and how a completion
 * queue is destroyed while all of that goes on.
 *
 * <p>No native code and no device is known here; this room imports the JDK only. {@link
 * io.loomverbs.internal.event.Ledger} counts what the application holds, {@link
 * io.loomverbs.internal.event.EventQueue} is where events wait for threads and threads for events,
 * and {@link io.loomverbs.internal.event.QueuedCq} is one CQ's part in both.
 */
package io.loomverbs.internal.event;
