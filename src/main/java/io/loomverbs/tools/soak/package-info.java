/**
 * A soak: everything that the library does at once, for minutes or days, with what usually breaks
 * it, and a look at what was left after each round.
 */
@NullMarked
package io.loomverbs.tools.soak;

import org.jspecify.annotations.NullMarked;
