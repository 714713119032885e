package io.loomverbs;

/** Where the events of a CQ go; chosen when it is created, so that none can go two ways. */
enum Delivery {
    /** Nowhere: the CQ is only polled. */
    NONE,
    /** To whoever waits on its channel. */
    CHANNEL,
    /** To whoever waits for this CQ. */
    DIRECT
}
