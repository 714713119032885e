package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.DeviceProvider;

import java.util.List;

/** Offers the one {@code soft0} of this JVM, and the one {@code strict0}. */
public final class SoftDeviceProvider implements DeviceProvider {
    private static final List<DeviceOps> DEVICES =
            List.of(new SoftDevice(SoftLimits.GENEROUS), SoftDevice.strict(SoftLimits.STRICT));

    public SoftDeviceProvider() {}

    /** Whether the port of a queue pair of an embedded device is down or gone, in its context. */
    public static boolean isPortDown(DeviceOps device, int qpNum) {
        SoftQp qp = device instanceof SoftDevice soft ? soft.qps.find(qpNum) : null;
        return qp != null && (qp.isPortDown() || qp.pd.faults.isDeviceLost());
    }

    @Override
    public String name() {
        return "soft";
    }

    @Override
    public List<DeviceOps> devices() {
        return DEVICES;
    }
}
