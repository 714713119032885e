/** Connections through the connection manager: the contract, its ends and races. */
package io.loomverbs.cm;
