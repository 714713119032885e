package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Why libibverbs, which is there, finds no device that can be opened. */
final class Availability {
    private static final Path UVERBS = Path.of("/sys/class/infiniband_verbs");
    private static final Path FILES = Path.of("/dev/infiniband");

    private Availability() {}

    static @Nullable Throwable cause() {
        List<DeviceOps> devices;
        try (DeviceList list = DeviceList.get()) {
            devices = list.devices();
        } catch (DeviceException e) {
            return noList(e);
        }
        if (devices.isEmpty()) {
            return noDevices();
        }
        StringBuilder forbidden = new StringBuilder();
        for (DeviceOps device : devices) {
            Path file = FILES.resolve(((IbvDevice) device).uverbs());
            if (Files.isReadable(file) && Files.isWritable(file)) {
                return null;
            }
            forbidden.append(forbidden.isEmpty() ? "" : ", ").append(file);
        }
        return new UnsupportedOperationException(
                "no permission to read and write "
                        + forbidden
                        + (Files.isDirectory(FILES)
                                ? ": be in the group that owns it, or in a container give it the"
                                        + " device"
                                : ", for it does not exist: in a container, give it the device"));
    }

    /** Whether the file of a device is there, and may not be used. */
    static boolean isForbidden(String uverbs) {
        Path file = FILES.resolve(uverbs);
        return Files.exists(file) && !(Files.isReadable(file) && Files.isWritable(file));
    }

    private static Throwable noList(DeviceException e) {
        if (e.errno() == Errno.ENOSYS || !Files.isDirectory(UVERBS)) {
            return new UnsupportedOperationException(
                    "the kernel has no user-space verbs ("
                            + UVERBS
                            + " does not exist): load the module ib_uverbs and the driver of an"
                            + " RDMA device",
                    e);
        }
        return new UnsupportedOperationException(
                "ibv_get_device_list: " + Errno.name(e.errno()), e);
    }

    private static Throwable noDevices() {
        return new UnsupportedOperationException(
                hasEntries()
                        ? "the kernel has RDMA devices in "
                                + UVERBS
                                + ", but libibverbs has no driver for them: install the package"
                                + " ibverbs-providers (Debian) or libibverbs (Fedora)"
                        : "the kernel has user-space verbs, but no RDMA device: load its driver,"
                                + " or add a software device with \"rdma link add rxe0 type rxe"
                                + " netdev ...\"");
    }

    private static boolean hasEntries() {
        try (var entries = Files.newDirectoryStream(UVERBS, "uverbs*")) {
            return entries.iterator().hasNext();
        } catch (IOException e) {
            return false;
        }
    }
}
