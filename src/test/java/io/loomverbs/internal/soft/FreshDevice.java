package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.DeviceOps;

/** Devices that share nothing with the one of this JVM. */
public final class FreshDevice {
    private FreshDevice() {}

    public static DeviceOps create() {
        return new SoftDevice(new SoftLimits(64, 64, 4, 64, 64, 256, 64, 64, 64, 64, 4));
    }
}
