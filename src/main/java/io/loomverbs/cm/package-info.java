/**
 * Connections by IP address and port: rdma_cm in blocking form.
 *
 * <p>Start with {@link io.loomverbs.cm.ConnectionManager}. A server {@linkplain
 * io.loomverbs.cm.ConnectionManager#listen listens}, {@linkplain
 * io.loomverbs.cm.RdmaListener#accept() accepts} a {@link io.loomverbs.cm.ConnectRequest}, and
 * answers it with a queue pair. A client {@linkplain io.loomverbs.cm.ConnectionManager#resolve
 * resolves} an address to an {@link io.loomverbs.cm.RdmaRoute}, and connects a queue pair over it.
 * Both then have an {@link io.loomverbs.cm.RdmaConnection}. Queue pairs, CQs and memory are the
 * program's own. They must belong to the device that the route or the request names.
 *
 * <p>With queue pairs of type UD, a client asks a {@link io.loomverbs.cm.UdListener} over an {@link
 * io.loomverbs.cm.UdRoute} where to send, and a port joins a {@link
 * io.loomverbs.cm.MulticastGroup}.
 *
 * <h2 id="threads">Threads</h2>
 *
 * Everything may be used by any number of threads at once. Methods that wait park the thread, end
 * with an {@code InterruptedException} when it is interrupted, and with a {@link
 * io.loomverbs.ClosedException} when the object is closed meanwhile.
 *
 * <h2 id="MemoryVisibility">Memory consistency</h2>
 *
 * What a thread did before it called {@code connect} <i>happens-before</i> the return of the {@code
 * accept} that answers it in the same JVM. What a thread did before it disconnected or closed a
 * connection <i>happens-before</i> the return of {@code awaitDisconnect} of that connection.
 *
 * <h2 id="errors">Errors</h2>
 *
 * Those of {@link io.loomverbs}, and {@link io.loomverbs.cm.ConnectionException}: the connection
 * could not be made.
 */
package io.loomverbs.cm;
