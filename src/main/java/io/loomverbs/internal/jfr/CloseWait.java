package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

import org.jspecify.annotations.Nullable;

/** A close found unacknowledged events and waited for them */
@Name("loomverbs.CloseWait")
@Label("Close With Unacknowledged Events")
@Category("loomverbs")
@Description("A close found unacknowledged events and waited for them")
final class CloseWait extends Event implements RecordedClose {
    @Label("Closed Object")
    @Nullable String object;

    @Label("Unacknowledged Events")
    int unacknowledged;

    @Label("Succeeded")
    boolean succeeded;

    @Override
    public void ended(Object closed, int outstanding, boolean isClosed) {
        try {
            end();
            if (shouldCommit()) {
                object = closed.toString();
                unacknowledged = outstanding;
                succeeded = isClosed;
                commit();
            }
        } catch (Error e) {
            // It is not recorded. The caller has more to do.
        }
    }
}
