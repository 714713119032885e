package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.DeviceProvider;
import io.loomverbs.internal.device.RegionMemorySource;
import io.loomverbs.internal.event.ReadyFd;
import io.loomverbs.internal.ffi.LibibverbsLibrary;
import io.loomverbs.internal.ffi.Pages;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** Offers the devices that libibverbs finds, or says why it finds none. */
public final class IbvDeviceProvider implements DeviceProvider {
    public IbvDeviceProvider() {}

    @Override
    public String name() {
        return "ibverbs";
    }

    @Override
    public List<DeviceOps> devices() {
        if (LibibverbsLibrary.unavailabilityCause() != null) {
            return List.of();
        }
        try (DeviceList list = DeviceList.get()) {
            return list.devices();
        } catch (DeviceException e) {
            return List.of();
        }
    }

    /** Needs only the C library, whether or not libibverbs is installed. */
    @Override
    public @Nullable RegionMemorySource regionMemory() {
        return Pages.areAvailable() ? new MappedMemory() : null;
    }

    /** Needs only the C library. */
    @Override
    public ReadyFd createReadyFd() {
        return EventReadyFd.create();
    }

    @Override
    public @Nullable Throwable unavailabilityCause() {
        Throwable cause = LibibverbsLibrary.unavailabilityCause();
        return cause != null ? cause : Availability.HERE.cause();
    }

    @Override
    public List<String> missing() {
        return LibibverbsLibrary.unavailabilityCause() != null
                ? List.of()
                : Availability.HERE.missing();
    }
}
