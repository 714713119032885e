/**
 * Whole-API scenarios under seeded, deterministic schedules.
 *
 * <p>The shipped classes are loaded anew with scheduling points written into their byte code
 * ({@link io.loomverbs.schedule.Rewriter}), and run on virtual threads that one platform thread
 * carries, one step of one thread after the other, in an order that a seed decides ({@link
 * io.loomverbs.schedule.SeededScheduler}). See docs/testing.md.
 */
package io.loomverbs.schedule;
