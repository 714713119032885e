/** Tests of the blocking requests, buffers and messages. */
package io.loomverbs.blocking;
