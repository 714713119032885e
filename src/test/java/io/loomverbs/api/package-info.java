/** Tests of the public API, on any device. */
package io.loomverbs.api;
