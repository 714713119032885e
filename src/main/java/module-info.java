import org.jspecify.annotations.NullMarked;

/**
 * Blocking RDMA completion events for virtual threads.
 *
 * <p>{@code io.loomverbs}, {@code io.loomverbs.blocking}, {@code io.loomverbs.cm}, {@code
 * io.loomverbs.management}, {@code io.loomverbs.micrometer} and, for tests, {@code
 * io.loomverbs.testkit} and {@code io.loomverbs.testkit.junit} are exported. Every type is non-null
 * unless it says otherwise.
 *
 * <p>{@code docs/configuration.md} lists the system properties. They are checked when a device is
 * opened.
 */
@NullMarked
@SuppressWarnings("requires-automatic") // Micrometer has no descriptor, but keeps its name
module io.loomverbs {
    exports io.loomverbs;
    exports io.loomverbs.blocking;
    exports io.loomverbs.cm;
    exports io.loomverbs.management;
    exports io.loomverbs.micrometer;
    exports io.loomverbs.testkit;
    exports io.loomverbs.testkit.junit;

    // For the annotations only; neither is needed at run time.
    requires static org.jspecify; // not transitive: users compile without it
    requires static com.google.errorprone.annotations;

    // For programs that use io.loomverbs.micrometer.
    requires static micrometer.core;

    // For tests that use the extension of io.loomverbs.testkit.junit.
    requires static org.junit.jupiter.api;

    // For io.loomverbs.management, and to replace the carrier of a virtual thread that waits in the
    // kernel; without these, a platform thread waits there.
    requires static java.management;
    requires static jdk.management;

    // To record events; without it, nothing is recorded.
    requires static jdk.jfr;

    uses io.loomverbs.internal.device.DeviceProvider;
    uses io.loomverbs.internal.cm.CmProvider;

    provides io.loomverbs.internal.device.DeviceProvider with
            io.loomverbs.internal.soft.SoftDeviceProvider,
            io.loomverbs.internal.ibverbs.IbvDeviceProvider;
    provides io.loomverbs.internal.cm.CmProvider with
            io.loomverbs.internal.softcm.SoftCmProvider,
            io.loomverbs.internal.rdmacm.RdmacmProvider;
}
