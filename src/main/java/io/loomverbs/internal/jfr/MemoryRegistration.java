package io.loomverbs.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

import org.jspecify.annotations.Nullable;

/** Memory was registered with a device */
@Name("loomverbs.MemoryRegistration")
@Label("Registration of Memory")
@Category("loomverbs")
@Description("Memory was registered with a device")
@Threshold("20 ms")
final class MemoryRegistration extends Event implements RecordedRegistration {
    @Label("Protection Domain")
    @Nullable String pd;

    @Label("Size")
    @DataAmount
    long bytes;

    @Label("Succeeded")
    boolean succeeded;

    @Override
    public void ended(Object domain, long size, boolean isRegistered) {
        try {
            end();
            if (shouldCommit()) {
                pd = domain.toString();
                bytes = size;
                succeeded = isRegistered;
                commit();
            }
        } catch (Error e) {
            // It is not recorded. The caller has more to do.
        }
    }
}
