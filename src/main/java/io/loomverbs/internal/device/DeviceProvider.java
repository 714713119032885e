package io.loomverbs.internal.device;

import io.loomverbs.internal.event.ReadyFd;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** A source of devices, found as a service so that the API needs to import no device. */
public interface DeviceProvider {
    /** Short name of the kind of device, such as {@code soft} or {@code ibverbs}. */
    String name();

    /** The devices there are now; empty when {@link #unavailabilityCause()} says why. */
    List<DeviceOps> devices();

    /** Memory for regions, of whatever device; null if this provider knows of none better. */
    default @Nullable RegionMemorySource regionMemory() {
        return null;
    }

    /**
     * A new descriptor, for events that do not come from the kernel; null if this provider makes
     * none.
     *
     * @throws UnsupportedOperationException if there can be none here
     * @throws DeviceException if the system has none left
     */
    default @Nullable ReadyFd createReadyFd() {
        return null;
    }

    /** Why devices that this machine has are not among those offered, a line for each. */
    default List<String> missing() {
        return List.of();
    }

    /** Why this provider can offer no devices here, or null if it can. */
    default @Nullable Throwable unavailabilityCause() {
        return null;
    }
}
