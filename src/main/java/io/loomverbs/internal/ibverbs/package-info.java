/**
 * The devices of the system's libibverbs: {@code ibverbs}, as a service.
 *
 * <p>Objects hold the address of libibverbs' structure and a guard that keeps it from being
 * destroyed while a call uses it, so that no mistake of a caller can reach freed native memory.
 */
package io.loomverbs.internal.ibverbs;
