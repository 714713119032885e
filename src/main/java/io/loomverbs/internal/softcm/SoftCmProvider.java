package io.loomverbs.internal.softcm;

import io.loomverbs.internal.cm.CmOps;
import io.loomverbs.internal.cm.CmProvider;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.soft.SoftDeviceProvider;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** Offers a connection manager for each embedded device. Their addresses are apart. */
public final class SoftCmProvider implements CmProvider {
    private static final List<SoftCm> MANAGERS =
            new SoftDeviceProvider().devices().stream().map(SoftCmProvider::manager).toList();

    public SoftCmProvider() {}

    private static SoftCm manager(DeviceOps device) {
        return new SoftCm(
                device.name(), device.guid(), qpn -> SoftDeviceProvider.isPortDown(device, qpn));
    }

    @Override
    public String name() {
        return "soft";
    }

    @Override
    public @Nullable CmOps managerOf(@Nullable String device, long guid) {
        for (SoftCm manager : MANAGERS) {
            if (manager.device().equals(device) && manager.guid() == guid) {
                return manager;
            }
        }
        return null;
    }
}
