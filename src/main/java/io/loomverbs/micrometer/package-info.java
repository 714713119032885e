/**
 * The statistics of a context as meters of Micrometer. Optional: only this package needs
 * Micrometer, and no other package knows it. A module that uses it also says {@code requires
 * micrometer.core}.
 */
package io.loomverbs.micrometer;
