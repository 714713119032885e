/** The races of what keeps native objects alive, and of the poller, on the shipped classes. */
package io.loomverbs.internal.ibverbs;
