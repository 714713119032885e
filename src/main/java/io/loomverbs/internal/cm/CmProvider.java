package io.loomverbs.internal.cm;

import org.jspecify.annotations.Nullable;

/** A source of connection managers, found as a service so that the API needs to import none. */
public interface CmProvider {
    /** Short name of the kind of manager, such as {@code soft} or {@code rdmacm}. */
    String name();

    /**
     * The manager of a device's network, or null if this provider does not know the device.
     *
     * @param device the device's name; null for the manager of the system, whatever its devices
     */
    @Nullable CmOps managerOf(@Nullable String device, long guid);

    /** Why this provider can offer no manager here, or null if it can. */
    default @Nullable Throwable unavailabilityCause() {
        return null;
    }
}
