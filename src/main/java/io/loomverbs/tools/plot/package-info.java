/**
 * Plots, drawn with JFreeChart and written as SVG or PNG. Nothing else of the command line needs
 * these libraries.
 */
@NullMarked
package io.loomverbs.tools.plot;

import org.jspecify.annotations.NullMarked;
