/**
 * The command line of loomverbs with all that it needs, in one module: to run, to link with jlink.
 *
 * <p>It contains the library and the libraries of the command line, and exports nothing.
 */
module io.loomverbs.cli {
    // A virtual thread that waits in the kernel has its carrier replaced by means of this.
    requires jdk.management;

    // To record events.
    requires static jdk.jfr;

    // For the command top, which looks into another process.
    requires static jdk.attach;
    requires static java.management.rmi;

    // For --plot, with the libraries that it needs.
    requires static java.desktop;

    // For the terminal that shows progress.
    requires java.logging;

    uses io.loomverbs.internal.device.DeviceProvider;

    provides io.loomverbs.internal.device.DeviceProvider with
            io.loomverbs.internal.soft.SoftDeviceProvider,
            io.loomverbs.internal.ibverbs.IbvDeviceProvider;
}
