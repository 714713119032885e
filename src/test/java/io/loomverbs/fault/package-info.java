/**
 * Faults that are planted into the byte code of shipped classes, to see that tests find them.
 *
 * <p>{@link io.loomverbs.fault.Fault} lists them. Seeded schedules and JCStress races each name the
 * faults that they must find. See docs/testing.md.
 */
package io.loomverbs.fault;
