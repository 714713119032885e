package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.DeviceProvider;

import java.util.List;

/** Offers the one {@code soft0} of this JVM, and the one {@code strict0}. */
public final class SoftDeviceProvider implements DeviceProvider {
    private static final List<DeviceOps> DEVICES =
            List.of(new SoftDevice(SoftLimits.GENEROUS), SoftDevice.strict(SoftLimits.STRICT));

    public SoftDeviceProvider() {}

    @Override
    public String name() {
        return "soft";
    }

    @Override
    public List<DeviceOps> devices() {
        return DEVICES;
    }
}
