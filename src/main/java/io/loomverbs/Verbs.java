package io.loomverbs;

import io.loomverbs.internal.device.DeviceProvider;
import io.loomverbs.internal.device.RegionMemorySource;
import io.loomverbs.internal.device.SharedArenas;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** The way in: the RDMA devices of this machine, and the embedded one that is always there. */
public final class Verbs {
    private static final String IBVERBS = "ibverbs";

    private Verbs() {}

    /** Found once; a provider that cannot be loaded is a broken installation and said so. */
    private static final class Providers {
        private static final List<DeviceProvider> ALL = load();

        private static List<DeviceProvider> load() {
            List<DeviceProvider> all = new ArrayList<>();
            ServiceLoader.load(DeviceProvider.class, Verbs.class.getClassLoader())
                    .forEach(all::add);
            return List.copyOf(all);
        }
    }

    /**
     * The devices that can be opened, the embedded {@code soft0} among them ({@code
     * ibv_get_device_list}).
     *
     * @return an unmodifiable list
     */
    public static List<Device> devices() {
        return Providers.ALL.stream().flatMap(Verbs::devicesOf).toList();
    }

    private static Stream<Device> devicesOf(DeviceProvider provider) {
        return provider.devices().stream().map(Device::new);
    }

    /**
     * The device of a name.
     *
     * @param name as in {@link Device#name()}, such as {@code soft0}
     * @return the device
     * @throws IllegalArgumentException if there is none; the message names those there are, and
     *     says why libibverbs has none if it cannot be used
     */
    public static Device device(String name) {
        Arguments.notNull(name, "name");
        // One provider after the other: who wants soft0 has nothing native loaded for it.
        return Providers.ALL.stream()
                .flatMap(Verbs::devicesOf)
                .filter(device -> device.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "name is \"" + name + "\", but " + whatThereIs()));
    }

    /** The memory of the first provider that has some; it serves all devices. */
    static RegionMemorySource regionMemory() {
        for (DeviceProvider provider : Providers.ALL) {
            RegionMemorySource memory = provider.regionMemory();
            if (memory != null) {
                return memory;
            }
        }
        return new SharedArenas();
    }

    /**
     * How much memory {@link ProtectionDomain#allocateMr} has in use, of all contexts of this JVM.
     * Memory that the program has registered itself, with {@link ProtectionDomain#regMr}, does not
     * count.
     *
     * @return bytes
     */
    public static long allocatedMemory() {
        return AllocatedMemory.total();
    }

    /**
     * How much memory {@link ProtectionDomain#allocateMr} may have in use at once: what the system
     * property {@code loomverbs.maxAllocatedMemory} says, a number of bytes or one such as {@code
     * 512m} or {@code 4g}; by default {@code -XX:MaxDirectMemorySize}, and that is by default the
     * maximal heap.
     *
     * @return bytes
     * @throws IllegalArgumentException if the property is no such number
     */
    public static long maxAllocatedMemory() {
        return AllocatedMemory.max();
    }

    private static String whatThereIs() {
        Throwable cause = unavailabilityCause();
        return "the devices are "
                + devices()
                + (cause == null ? "" : ", none of libibverbs: " + cause.getMessage());
    }

    /**
     * Why there are no devices of the system's libibverbs.
     *
     * @return the cause, or null if libibverbs can be used
     */
    public static @Nullable Throwable unavailabilityCause() {
        for (DeviceProvider provider : Providers.ALL) {
            if (provider.name().equals(IBVERBS)) {
                return provider.unavailabilityCause();
            }
        }
        return new UnsupportedOperationException(
                "this build of loomverbs has no provider for libibverbs; the embedded soft0 works");
    }
}
