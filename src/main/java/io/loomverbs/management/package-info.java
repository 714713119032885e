/**
 * The library's statistics for JMX tools. Optional: only this package needs the module {@code
 * java.management}, and no other part of the library needs this package.
 *
 * <p>{@link io.loomverbs.management.VerbsManagement#register} registers the MXBean. The command
 * {@code loomverbs top} reads it in another process.
 */
package io.loomverbs.management;
