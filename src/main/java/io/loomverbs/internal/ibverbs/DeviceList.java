package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.ffi.IbvLayouts;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** The devices that libibverbs finds now. Its pointers are valid until it is closed. */
final class DeviceList implements AutoCloseable {
    private final long list;

    private DeviceList(long list) {
        this.list = list;
    }

    /** {@code ibv_get_device_list}; a {@code DeviceException} says why there is none. */
    static DeviceList get() {
        try (Arena arena = Arena.ofConfined()) {
            long list = Libibverbs.getDeviceList(Libibverbs.callState(arena));
            if (list < 0) {
                throw Refusals.of("ibv_get_device_list", list, "no list");
            }
            return new DeviceList(list);
        }
    }

    private List<Long> pointers() {
        List<Long> all = new ArrayList<>();
        long at = list;
        for (long p = pointer(at); p != 0; p = pointer(at)) {
            all.add(p);
            at += Long.BYTES;
        }
        return all;
    }

    private static long pointer(long at) {
        return Struct.at(at, Long.BYTES).i64(0);
    }

    List<DeviceOps> devices() {
        List<DeviceOps> all = new ArrayList<>();
        for (long device : pointers()) {
            Struct struct = struct(device);
            all.add(
                    new IbvDevice(
                            nameOf(struct),
                            Libibverbs.getDeviceGuid(device),
                            struct.i32(IbvLayouts.IbvDevice.TRANSPORT_TYPE),
                            struct.string(
                                    IbvLayouts.IbvDevice.DEV_NAME,
                                    IbvLayouts.IbvDevice.DEV_NAME_BYTES)));
        }
        return all;
    }

    /** The {@code ibv_device} of that name, or 0. */
    long find(String name) {
        for (long device : pointers()) {
            if (nameOf(struct(device)).equals(name)) {
                return device;
            }
        }
        return 0;
    }

    private static Struct struct(long device) {
        return Struct.at(
                device, IbvLayouts.IbvDevice.DEV_NAME + IbvLayouts.IbvDevice.DEV_NAME_BYTES);
    }

    private static String nameOf(Struct device) {
        return device.string(IbvLayouts.IbvDevice.NAME, IbvLayouts.IbvDevice.NAME_BYTES);
    }

    /** {@code ibv_free_device_list}. */
    @Override
    public void close() {
        Libibverbs.freeDeviceList(list);
    }
}
