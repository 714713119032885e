package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.DeviceProvider;

import java.util.List;

/** Offers the one {@code soft0} of this JVM. */
public final class SoftDeviceProvider implements DeviceProvider {
    private static final List<DeviceOps> SOFT0 = List.of(new SoftDevice(SoftLimits.GENEROUS));

    public SoftDeviceProvider() {}

    @Override
    public String name() {
        return "soft";
    }

    @Override
    public List<DeviceOps> devices() {
        return SOFT0;
    }
}
