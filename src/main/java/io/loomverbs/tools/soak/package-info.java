/**
 * A soak: everything that the library does at once, for minutes or days, with everything that
 * usually breaks it, and a check for leftovers after each round.
 */
@NullMarked
package io.loomverbs.tools.soak;

import org.jspecify.annotations.NullMarked;
