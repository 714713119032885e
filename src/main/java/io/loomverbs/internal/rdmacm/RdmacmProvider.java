package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.cm.CmOps;
import io.loomverbs.internal.cm.CmProvider;
import io.loomverbs.internal.ffi.LibrdmacmLibrary;
import io.loomverbs.internal.ibverbs.IbvDeviceProvider;

import org.jspecify.annotations.Nullable;

import java.nio.file.Files;
import java.nio.file.Path;

/** Offers the connection manager of the system's devices, or says why there is none. */
public final class RdmacmProvider implements CmProvider {
    private static final Path FILE = Path.of("/dev/infiniband/rdma_cm");

    public RdmacmProvider() {}

    @Override
    public String name() {
        return "rdmacm";
    }

    /** That of the system is asked for without a device. */
    @Override
    public @Nullable CmOps managerOf(@Nullable String device, long guid) {
        return device == null && unavailabilityCause() == null ? Rdmacm.INSTANCE : null;
    }

    @Override
    public @Nullable Throwable unavailabilityCause() {
        Throwable cause = LibrdmacmLibrary.unavailabilityCause();
        if (cause == null) {
            cause = new IbvDeviceProvider().unavailabilityCause();
        }
        return cause != null ? cause : problem(FILE);
    }

    /** What is wrong with the device file of rdma_cm; null if nothing is. */
    static @Nullable Throwable problem(Path file) {
        if (!Files.exists(file)) {
            return new UnsupportedOperationException(
                    file
                            + " does not exist: load the module rdma_ucm; in a container, give it"
                            + " that file, too");
        }
        if (!Files.isReadable(file) || !Files.isWritable(file)) {
            return new UnsupportedOperationException(
                    "no permission to read and write " + file + ": its mode is usually 0666");
        }
        return null;
    }
}
