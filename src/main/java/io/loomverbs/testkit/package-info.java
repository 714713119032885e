/**
 * Tests of programs on the embedded devices: faults on request, in {@link
 * io.loomverbs.testkit.Faults}, and what a test has left open, in {@link
 * io.loomverbs.testkit.Leaks}.
 */
package io.loomverbs.testkit;
