/**
 * The core: delivers completion events, makes threads wait for them, counts acknowledgements, and
 * destroys completion queues meanwhile.
 *
 * <p>It knows no native code and no device, and imports the JDK only. {@link
 * io.loomverbs.internal.event.Ledger} counts what the application holds, {@link
 * io.loomverbs.internal.event.EventQueue} matches events with waiting threads, and {@link
 * io.loomverbs.internal.event.QueuedCq} is one CQ's part in both.
 */
package io.loomverbs.internal.event;
