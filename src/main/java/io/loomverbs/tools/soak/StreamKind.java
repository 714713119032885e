package io.loomverbs.tools.soak;

/** How a stream receives its messages. */
enum StreamKind {
    AWAIT,
    EVENTS,
    CHANNEL,
    SERVE
}
