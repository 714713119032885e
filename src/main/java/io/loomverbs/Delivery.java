package io.loomverbs;

/** Where the events of a CQ go; fixed when it is created. */
enum Delivery {
    /** Nowhere: the CQ is only polled. */
    NONE,
    /** To a thread that waits on its channel. */
    CHANNEL,
    /** To a thread that waits for this CQ. */
    DIRECT
}
