/** The races of the core, on the shipped classes. */
package io.loomverbs.internal.event;
