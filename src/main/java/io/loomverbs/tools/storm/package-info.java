/**
 * A storm: handlers on virtual threads, a CQ and a queue pair for each, real messages between them,
 * and the state that says whether every one has arrived.
 */
@NullMarked
package io.loomverbs.tools.storm;

import org.jspecify.annotations.NullMarked;
