/** The races of the reader of librdmacm's events, on the shipped classes. */
package io.loomverbs.internal.rdmacm;
