/**
 * Blocking requests, buffers and messages, on the public API of {@link io.loomverbs} alone.
 *
 * <p>{@link io.loomverbs.blocking.Requests} makes the requests of one queue pair block: {@code
 * send}, {@code write}, {@code read}, {@code compareAndSwap}, {@code fetchAdd} and {@code receive}
 * park the calling thread until that request is done, and throw if it fails. {@link
 * io.loomverbs.blocking.BufferPool} lends registered memory. {@link
 * io.loomverbs.blocking.RemoteRegion} tells a peer which memory it may access.
 *
 * <h2 id="polling">Which thread polls</h2>
 *
 * The library has no thread for this. One of the threads that wait for requests of a CQ polls the
 * CQ, waits for its events, and wakes the threads whose requests are done. When its own request is
 * done, another waiting thread takes over. While no thread waits, completions stay in the CQ, which
 * can hold them all.
 *
 * <p>So a CQ that is used here belongs to this package: do not poll, await or serve it elsewhere,
 * and use it only for queue pairs that have {@code Requests}. If this package finds a completion of
 * other work there, that completion is lost, with a warning in the log. If other code polls a
 * completion of a request, all requests over the CQ fail some seconds later, with an {@link
 * IllegalStateException} that says so as their cause.
 *
 * <h2 id="consistency">Memory consistency</h2>
 *
 * What a thread did before it started a request <i>happens-before</i> the return of any method that
 * has waited for that request, as does what the device wrote.
 */
package io.loomverbs.blocking;
