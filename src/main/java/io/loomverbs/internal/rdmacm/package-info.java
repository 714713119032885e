/**
 * The connection manager of the system: librdmacm.
 *
 * <p>All ids of the process share one event channel, which lives as long as there are ids. A
 * platform thread reads it: reading an event opens devices and queries them, and must continue
 * while no thread of the program waits. The contexts that librdmacm opens belong to it: this
 * package never gives them to a program.
 */
package io.loomverbs.internal.rdmacm;
