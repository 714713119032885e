/**
 * The native side: the linker, what libibverbs offers, and where the fields of its structures are.
 * The only room that links, reinterprets memory or reads {@code errno}; it speaks addresses, verbs'
 * own values and negative errnos.
 *
 * <p>Nothing here is loaded before a device of libibverbs is asked for.
 */
package io.loomverbs.internal.ffi;
