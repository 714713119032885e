/**
 * The ops table that a connection manager implements, and the events that cross it.
 *
 * <p>Everything here speaks rdma_cm's own values (those of {@code rdma_cma.h}) and negative errnos,
 * so that the embedded manager and librdmacm are two implementations of one contract.
 */
package io.loomverbs.internal.cm;
