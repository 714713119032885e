package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

import org.jspecify.annotations.Nullable;

/** A device reported an asynchronous event */
@Name("loomverbs.AsyncEvent")
@Label("Asynchronous Event")
@Category("loomverbs")
@Description("A device reported an asynchronous event")
final class AsyncEventRaised extends Event {
    @Label("Type")
    @Nullable String type;

    @Label("Number in Verbs")
    int number;

    @Label("Happened To")
    @Nullable String subject;

    @Label("Port")
    int port;
}
