/** The connection manager of the embedded devices, in pure Java. */
package io.loomverbs.internal.softcm;
