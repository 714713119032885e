package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A leader returned from the kernel, where it had waited on behalf of all */
@Name("loomverbs.PollerWake")
@Label("Wake-up of a Leader")
@Category("loomverbs")
@Description("A leader returned from the kernel, where it had waited on behalf of all")
@Enabled(false)
@StackTrace(false)
final class PollerWake extends Event implements RecordedWake {
    @Label("Ready Descriptors")
    int ready;

    @Label("Raised Events")
    int raised;

    @Override
    public void ended(int descriptors, int events) {
        ready = descriptors;
        raised = events;
        try {
            commit();
        } catch (Error e) {
            // It is not recorded. The caller has more to do.
        }
    }
}
