package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.UsualCauses;
import io.loomverbs.internal.ffi.Libc;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Explains why an installed libibverbs finds no device, or not all devices of the kernel. */
final class Availability {
    /** Of this machine. */
    static final Availability HERE =
            new Availability(Uverbs.HERE, Availability::list, Libc::descriptorErrno);

    // Made in advance: without descriptors no class can be loaded from a folder.
    private static final String EMFILE = noDevices(Errno.EMFILE);
    private static final String ENFILE = noDevices(Errno.ENFILE);

    private final Uverbs uverbs;
    private final Supplier<List<DeviceOps>> list;
    private final IntSupplier descriptorErrno;

    /**
     * @param list the devices of libibverbs, or a {@code DeviceException}
     * @param descriptorErrno the reason why there is no file descriptor left, or 0 if there is one
     */
    Availability(Uverbs uverbs, Supplier<List<DeviceOps>> list, IntSupplier descriptorErrno) {
        this.uverbs = uverbs;
        this.list = list;
        this.descriptorErrno = descriptorErrno;
    }

    private static List<DeviceOps> list() {
        try (DeviceList list = DeviceList.get()) {
            return list.devices();
        }
    }

    /** The reason why no device can be opened, or null if one can. */
    @Nullable Throwable cause() {
        List<DeviceOps> devices;
        try {
            devices = list.get();
        } catch (DeviceException e) {
            return new UnsupportedOperationException(noList(e.errno()), e);
        }
        if (devices.isEmpty()) {
            return new UnsupportedOperationException(noDevices());
        }
        StringJoiner troubles = new StringJoiner("; ");
        for (DeviceOps device : devices) {
            String trouble = uverbs.trouble(((IbvDevice) device).uverbs());
            if (trouble == null) {
                return null;
            }
            troubles.add(trouble);
        }
        return new UnsupportedOperationException(troubles.toString());
    }

    private String noList(int errno) {
        // libibverbs reports ENOSYS for everything that it cannot read.
        int descriptors = descriptorErrno.getAsInt();
        if (descriptors != 0) {
            return noDescriptors(descriptors);
        }
        if (!uverbs.isInKernel()) {
            return "the kernel has no user-space verbs ("
                    + uverbs.folder()
                    + " does not exist): load the module ib_uverbs and the driver of an RDMA"
                    + " device";
        }
        return "ibv_get_device_list: " + Errno.name(errno);
    }

    private static String noDescriptors(int errno) {
        return errno == Errno.ENFILE ? ENFILE : EMFILE;
    }

    private static String noDevices(int errno) {
        return "ibv_get_device_list: "
                + Errno.name(errno)
                + UsualCauses.of("ibv_get_device_list", errno);
    }

    private String noDevices() {
        int descriptors = descriptorErrno.getAsInt();
        if (descriptors != 0) {
            return noDescriptors(descriptors);
        }
        List<Uverbs.Entry> entries = uverbs.entries();
        if (entries.isEmpty()) {
            return "the kernel has user-space verbs, but no RDMA device: load its driver, or add a"
                    + " software device with \"rdma link add rxe0 type rxe netdev ...\"";
        }
        return entries.stream().map(this::unlisted).collect(Collectors.joining("; "));
    }

    /** Why libibverbs does not list a device of the kernel. */
    private String unlisted(Uverbs.Entry entry) {
        String trouble = uverbs.trouble(entry.file());
        return "the kernel has "
                + entry.device()
                + ", but "
                + (trouble != null
                        ? trouble
                        : "libibverbs has no driver for it: install the package ibverbs-providers"
                                + " (Debian) or libibverbs (Fedora)");
    }

    /** The reason for each device of the kernel that is not listed. */
    List<String> missing() {
        Set<String> listed;
        try {
            listed = list.get().stream().map(DeviceOps::name).collect(Collectors.toSet());
        } catch (DeviceException e) {
            return List.of(); // cause() says why there are none
        }
        List<String> missing = new ArrayList<>();
        for (Uverbs.Entry entry : uverbs.entries()) {
            if (!listed.isEmpty() && !listed.contains(entry.device())) {
                missing.add(unlisted(entry));
            }
        }
        return missing;
    }

    /** A more specific reason why a device could not be opened, if there is one. */
    DeviceException unopened(IbvDevice device, DeviceException failure) {
        int descriptors = descriptorErrno.getAsInt();
        if (descriptors != 0) {
            return Refusals.of("ibv_open_device", -descriptors, device.name());
        }
        boolean gone = failure.errno() == Errno.ENOENT || failure.errno() == Errno.ENODEV;
        String trouble = gone ? uverbs.trouble(device.uverbs()) : null;
        if (trouble == null) {
            return failure;
        }
        // libibverbs reports ENOENT for a file that it may not open.
        int errno = uverbs.isForbidden(device.uverbs()) ? Errno.EACCES : failure.errno();
        return new DeviceException(errno, device.name() + "; " + trouble);
    }
}
