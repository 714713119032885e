/**
 * What keeps native objects alive while they are used, and counts what native code waits for.
 *
 * <p>Each test runs the shipped class; its twin runs a copy with one fault, or the class itself
 * with a step left out, such as {@link io.loomverbs.internal.ibverbs.FaultyGuard}, and shares its
 * table of outcomes.
 */
package io.loomverbs.internal.ibverbs;
