package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

import org.jspecify.annotations.Nullable;

/** A thread received the event that an arm had asked for */
@Name("loomverbs.ArmToEvent")
@Label("From Arm to Event")
@Category("loomverbs")
@Description("A thread received the event that an arm had asked for; the duration is from the arm")
@Enabled(false)
@StackTrace(false)
final class ArmToEvent extends Event implements RecordedArm {
    @Label("CQ")
    @Nullable String cq;

    @Override
    public void ended(Object armed) {
        try {
            end();
            if (shouldCommit()) {
                cq = armed.toString();
                commit();
            }
        } catch (Error e) {
            // It is not recorded. The caller has more to do.
        }
    }
}
