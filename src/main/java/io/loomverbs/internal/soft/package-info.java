/**
 * The embedded software device {@code soft0}: a verbs device in memory, in plain Java.
 *
 * <p>All contexts of one JVM share one fabric, so that their queue pairs can talk to each other.
 * The thread that posts a request executes it; {@link io.loomverbs.internal.soft.SendQueue}
 * describes how.
 *
 * <p>Locks are taken in this order and never otherwise: a {@code SendQueue}, then one {@code
 * RecvQueue} (the queue pair's own or its peer's), then one of the leaves: a {@code SlotRing}, a
 * {@code SoftCq}, an {@code IdTable}. No listener is called while any of them is held.
 */
package io.loomverbs.internal.soft;
