/**
 * The ops table that a device implements, and the numbers and structures that cross it.
 *
 * <p>Everything here speaks verbs' own values (those of {@code verbs.h}) and negative errnos, so
 * that the embedded device and libibverbs are two implementations of one contract. Operations that
 * a device does not implement default to {@code -EOPNOTSUPP}, as in rdma-core's table of dummy ops.
 * This package imports the JDK only.
 */
package io.loomverbs.internal.device;
