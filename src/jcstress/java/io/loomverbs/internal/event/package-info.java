/**
 * The races of the heart.
 *
 * <p>Each test runs the shipped class; its twin runs a copy with one fault, such as {@link
 * io.loomverbs.internal.event.FaultyLedger}, and shares its table of outcomes.
 */
package io.loomverbs.internal.event;
