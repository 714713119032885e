package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceProvider;
import io.loomverbs.internal.device.Providers;
import io.loomverbs.internal.device.RegionMemorySource;
import io.loomverbs.internal.device.SharedArenas;
import io.loomverbs.internal.event.ReadyFd;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Lists and finds devices: the RDMA devices of this machine, and the embedded ones.
 *
 * @since 0.1.0
 */
public final class Verbs {
    private static final String IBVERBS = "ibverbs";
    private static final char QUALIFIER = '/';
    private static final String LOST =
            "the jar lacks its file META-INF/services/"
                    + DeviceProvider.class.getName()
                    + ", or lines of it. When you repackage loomverbs, merge that file with those"
                    + " of other jars (maven-shade-plugin: ServicesResourceTransformer)";

    private static final Providers<DeviceProvider> PROVIDERS =
            new Providers<>(DeviceProvider.class);

    private Verbs() {}

    /** The providers; at least one, since this jar has one. */
    private static List<DeviceProvider> someProviders() {
        List<DeviceProvider> all = PROVIDERS.get();
        if (all.isEmpty()) {
            throw new IllegalStateException("there are no devices, not even soft0: " + LOST);
        }
        return all;
    }

    /**
     * The devices that can be opened, including the embedded ones ({@code ibv_get_device_list}).
     * Two of them may have the same name: see {@link #device}.
     *
     * @return an unmodifiable list
     * @throws IllegalStateException if loomverbs was repackaged without its file in {@code
     *     META-INF/services}
     */
    public static List<Device> devices() {
        return someProviders().stream().flatMap(Verbs::devicesOf).toList();
    }

    private static Stream<Device> devicesOf(DeviceProvider provider) {
        return provider.devices().stream().map(Device::new);
    }

    /**
     * Finds a device by its name. Embedded devices come first: a libibverbs device with the name of
     * one of these is {@code ibverbs/soft0}, and the embedded one is also {@code soft/soft0}.
     *
     * @param name as in {@link Device#name()}, such as {@code soft0} or {@code mlx5_0}, optionally
     *     after {@code soft/} or {@code ibverbs/}
     * @return the device
     * @throws IllegalArgumentException if there is none; the message lists the available devices,
     *     and says why others cannot be used
     * @throws IllegalStateException if loomverbs was repackaged without its file in {@code
     *     META-INF/services}
     */
    public static Device device(String name) {
        Arguments.notNull(name, "name");
        // One provider after the other, so that asking for soft0 loads nothing native.
        return someProviders().stream()
                .filter(provider -> isOf(provider, name))
                .flatMap(Verbs::devicesOf)
                .filter(device -> isNamed(device, name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "name is \"" + name + "\", but " + whatThereIs()));
    }

    /** The memory of the first provider that has some; it serves all devices. */
    static RegionMemorySource regionMemory() {
        for (DeviceProvider provider : PROVIDERS.get()) {
            RegionMemorySource memory = provider.regionMemory();
            if (memory != null) {
                return memory;
            }
        }
        return new SharedArenas();
    }

    /**
     * A descriptor of the first provider that makes some, for the events of {@code what}.
     *
     * @throws UnsupportedOperationException if there can be none here
     * @throws VerbsException if the system has none left
     */
    static ReadyFd readyFd(Object what) {
        for (DeviceProvider provider : PROVIDERS.get()) {
            ReadyFd fd;
            try {
                fd = provider.createReadyFd();
            } catch (DeviceException e) {
                throw VerbsException.refused("eventfd", -e.errno(), what + ": " + e.getMessage());
            }
            if (fd != null) {
                return fd;
            }
        }
        throw new UnsupportedOperationException(
                "loomverbs has no provider that makes file descriptors: " + LOST);
    }

    /**
     * How much memory of {@link ProtectionDomain#allocateMr} is in use, in all contexts of this
     * JVM. Memory that the program registers with {@link ProtectionDomain#regMr} does not count.
     *
     * @return bytes
     */
    public static long allocatedMemory() {
        return AllocatedMemory.total();
    }

    /**
     * How much memory of {@link ProtectionDomain#allocateMr} may be in use at once. The system
     * property {@code loomverbs.maxAllocatedMemory} sets it, as a number of bytes or as {@code
     * 512m} or {@code 4g}. The default is {@code -XX:MaxDirectMemorySize}, whose default is the
     * maximum heap size.
     *
     * @return bytes
     * @throws IllegalArgumentException if the property is no such number
     */
    public static long maxAllocatedMemory() {
        return AllocatedMemory.max();
    }

    private static boolean isOf(DeviceProvider provider, String name) {
        return name.indexOf(QUALIFIER) < 0 || name.startsWith(provider.name() + QUALIFIER);
    }

    private static boolean isNamed(Device device, String name) {
        return device.name().equals(name.substring(name.indexOf(QUALIFIER) + 1));
    }

    private static String whatThereIs() {
        Throwable cause = unavailabilityCause();
        return "the devices are "
                + devices()
                + (cause == null ? "" : ", none of libibverbs: " + cause.getMessage())
                + PROVIDERS.get().stream()
                        .flatMap(provider -> provider.missing().stream())
                        .map(missing -> "; " + missing)
                        .collect(Collectors.joining());
    }

    /**
     * Why there are no devices of the system's libibverbs.
     *
     * @return the cause, or null if libibverbs can be used
     */
    public static @Nullable Throwable unavailabilityCause() {
        for (DeviceProvider provider : PROVIDERS.get()) {
            if (provider.name().equals(IBVERBS)) {
                return provider.unavailabilityCause();
            }
        }
        return new UnsupportedOperationException(
                "loomverbs has no provider for libibverbs: " + LOST);
    }
}
