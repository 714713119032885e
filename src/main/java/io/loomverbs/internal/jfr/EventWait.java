package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

import org.jspecify.annotations.Nullable;

/** A thread waited for an event of a CQ, a channel or a context */
@Name("loomverbs.EventWait")
@Label("Wait for an Event")
@Category("loomverbs")
@Description("A thread waited for an event of a CQ, a channel or a context")
@Threshold("20 ms")
final class EventWait extends Event implements RecordedWait {
    @Label("Waited For")
    @Nullable String waitedFor;

    @Label("Operation")
    @Nullable String operation;

    @Label("Received")
    boolean received;

    @Override
    public void ended(Object object, String called, boolean got) {
        try {
            end();
            if (shouldCommit()) {
                waitedFor = object.toString();
                operation = called;
                received = got;
                commit();
            }
        } catch (Error e) {
            // It is not recorded. The caller has more to do.
        }
    }
}
