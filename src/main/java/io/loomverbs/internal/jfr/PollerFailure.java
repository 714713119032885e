package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

import org.jspecify.annotations.Nullable;

/** Waiting in the kernel failed: all waits of its contexts end */
@Name("loomverbs.PollerFailure")
@Label("Failure of a Poller")
@Category("loomverbs")
@Description("Waiting in the kernel failed: all waits of its contexts end")
final class PollerFailure extends Event {
    @Label("Failure")
    @Nullable String failure;
}
