package io.loomverbs;

/**
 * How {@link Context#chooseCompVector} spreads CQs over the completion vectors of a device.
 *
 * @since 0.1.0
 */
public enum VectorPolicy {
    /** Takes the vectors in turn; all choices by this policy in the context share one turn. */
    ROUND_ROBIN,
    /** Takes the vector with the fewest open CQs of the context; of several the first. */
    LEAST_LOADED
}
