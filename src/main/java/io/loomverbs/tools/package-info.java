/** The command line of loomverbs. It uses only the public API; the library does not need it. */
@NullMarked
package io.loomverbs.tools;

import org.jspecify.annotations.NullMarked;
