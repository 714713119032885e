/**
 * The command line of loomverbs. It stands on the public API alone; the library does not need it.
 */
@NullMarked
package io.loomverbs.tools;

import org.jspecify.annotations.NullMarked;
