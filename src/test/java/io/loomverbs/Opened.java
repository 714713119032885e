package io.loomverbs;

import io.loomverbs.internal.device.DeviceOps;

/** Opens devices that no provider offers. */
public final class Opened {
    private Opened() {}

    public static Context open(DeviceOps device) {
        return new Device(device).open();
    }
}
