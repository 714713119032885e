/**
 * A storm: handlers on virtual threads, a CQ and a queue pair for each, real messages between them,
 * and the counts that show whether every one has arrived.
 */
@NullMarked
package io.loomverbs.tools.storm;

import org.jspecify.annotations.NullMarked;
