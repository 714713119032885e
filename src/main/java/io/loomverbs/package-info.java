/**
 * RDMA in plain blocking Java: the verbs of libibverbs, with completion events that park virtual
 * threads.
 *
 * <p>Start with {@link io.loomverbs.Verbs#devices()}. Opening a {@link io.loomverbs.Device} gives a
 * {@link io.loomverbs.Context}, in which everything else is created: protection domains, memory
 * regions and queue pairs on one side, completion channels and {@linkplain
 * io.loomverbs.CompletionQueue completion queues} on the other. Names are those of verbs, in camel
 * case; the description of each method names its verb. {@link io.loomverbs.cm} connects queue pairs
 * by IP address and port, and {@link io.loomverbs.blocking} has requests that park until they are
 * done.
 *
 * <pre>{@code
 * Verbs --> Device --> Context ---------+--------------------+
 *                         |             |                    |
 *                         v             v                    v
 *              ProtectionDomain   CompletionChannel --> CompletionQueue
 *                |     |    |                                |
 *      +---------+     |    +---------+                      |
 *      v               v              v                      |
 * MemoryRegion   SharedReceiveQueue   QueuePair <------------+
 * MemoryWindow         |              ^    (sends and receives complete there)
 * AddressHandle        +--------------+
 * }</pre>
 *
 * <p>An arrow leads from an object to those that are created from it or use it; close these first.
 *
 * <h2 id="threads">Threads</h2>
 *
 * Devices, contexts, channels, CQs, queue pairs and everything else that is created in a context
 * may be used by any number of threads at once, virtual ones or platform ones. Objects that only
 * carry arguments and results are for one thread at a time: {@link io.loomverbs.WorkCompletions},
 * {@link io.loomverbs.SendWorkRequest}, {@link io.loomverbs.RecvWorkRequest} and the builders.
 *
 * <p>Methods that wait park the thread, unless {@link io.loomverbs.WaitStrategy#POLLING} is chosen.
 * They keep no carrier from other virtual threads.
 *
 * <h2 id="MemoryVisibility">Memory consistency</h2>
 *
 * What a thread did before it posted a work request, and what the device wrote to memory on behalf
 * of it, <i>happens-before</i> the polling of its completion, and before the return of a wait that
 * was woken by it. What a thread did before it acknowledged an event <i>happens-before</i> the
 * return of the {@code close} of the CQ.
 *
 * <h2 id="errors">Errors</h2>
 *
 * <ul>
 *   <li>{@link java.lang.NullPointerException}, {@link java.lang.IllegalArgumentException}: the
 *       call was wrong; the message names the argument, its value and the limit. Nothing has
 *       changed.
 *   <li>{@link io.loomverbs.ClosedException}: the object was closed before or during the call.
 *   <li>{@link java.lang.IllegalStateException}: the object is not in the state for the call.
 *   <li>{@link io.loomverbs.VerbsException}: the device refused; it names the verb and the errno.
 *       Nothing has changed unless the method says otherwise.
 *   <li>A failed work request throws nothing: its completion has a {@link io.loomverbs.WcStatus}
 *       other than {@code SUCCESS}.
 * </ul>
 *
 * <h2 id="close">Closing</h2>
 *
 * Every {@code close} is idempotent, and refuses with {@code EBUSY} while something that was
 * created from the object is still open; try-with-resources closes in the right order. A refused
 * close leaves the object as it was.
 */
package io.loomverbs;
