package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

import org.jspecify.annotations.Nullable;

/** A CQ got more completions than it can hold, and is unusable */
@Name("loomverbs.CqOverrun")
@Label("CQ Overrun")
@Category("loomverbs")
@Description("A CQ got more completions than it can hold, and is unusable")
final class CqOverrun extends Event {
    @Label("CQ")
    @Nullable String cq;

    @Label("Capacity")
    int cqe;

    @Label("Completions Polled Before")
    long polled;
}
