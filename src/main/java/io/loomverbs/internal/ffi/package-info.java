/**
 * The native side: the linker, the functions of libibverbs, and the offsets of its structures'
 * fields. The only package that links, reinterprets memory or reads {@code errno}. Its methods use
 * addresses, verbs' own values and negative errnos.
 *
 * <p>Nothing here is loaded before a device of libibverbs is asked for.
 */
package io.loomverbs.internal.ffi;
