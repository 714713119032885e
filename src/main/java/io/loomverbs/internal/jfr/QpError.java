package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

import org.jspecify.annotations.Nullable;

/** A queue pair went to state ERR */
@Name("loomverbs.QpError")
@Label("Queue Pair Error")
@Category("loomverbs")
@Description("A queue pair went to state ERR")
final class QpError extends Event {
    @Label("Queue Pair")
    @Nullable String qp;

    @Label("Type")
    @Nullable String type;

    @Label("Send CQ")
    @Nullable String sendCq;

    @Label("Receive CQ")
    @Nullable String recvCq;
}
