package io.loomverbs;

/** How {@link Context#chooseCompVector} spreads CQs over the completion vectors of a device. */
public enum VectorPolicy {
    /** Each in turn, over all choices that are made by this policy in the context. */
    ROUND_ROBIN,
    /** The one with the fewest open CQs of the context; of several such ones the first. */
    LEAST_LOADED
}
