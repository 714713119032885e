/** Faults on request, and leaks that are found. */
package io.loomverbs.testkit;
