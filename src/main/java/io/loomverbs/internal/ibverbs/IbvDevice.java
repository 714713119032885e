package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;

/**
 * A device that libibverbs has listed. It is known by its name: libibverbs' own structure lives
 * only as long as its list, or a context.
 *
 * @param uverbs the name of its file in {@code /dev/infiniband}
 */
record IbvDevice(String name, long guid, int transportType, String uverbs) implements DeviceOps {
    @Override
    public ContextOps open(PortListener events) {
        return OffCarrierCalls.run("ibv_open_device", () -> openHere(events));
    }

    private IbvContext openHere(PortListener events) {
        try (DeviceList list = DeviceList.get()) {
            long device = list.find(name);
            if (device == 0) {
                throw new DeviceException(Errno.ENODEV, name + " is not there any more");
            }
            return IbvContext.open(name, device, events);
        } catch (DeviceException e) {
            throw Availability.HERE.unopened(this, e);
        }
    }
}
