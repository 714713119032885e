/**
 * What the library shows of itself to tools through JMX. Optional, and nothing else of the library
 * needs it: it needs the module {@code java.management}.
 *
 * <p>{@link io.loomverbs.management.VerbsManagement#register} registers the MXBean. The command
 * {@code loomverbs top} reads it in another process.
 */
package io.loomverbs.management;
