package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Setting;

/**
 * An RDMA device that can be opened: {@code struct ibv_device}.
 *
 * @since 0.1.0
 */
public final class Device {
    private final DeviceOps ops;

    Device(DeviceOps ops) {
        this.ops = ops;
    }

    /**
     * The device's name ({@code ibv_get_device_name}).
     *
     * @return a name such as {@code soft0} or {@code mlx5_0}
     */
    public String name() {
        return ops.name();
    }

    /**
     * The device's node GUID ({@code ibv_get_device_guid}).
     *
     * @return the GUID, the first byte on the wire being the most significant
     */
    public long guid() {
        return ops.guid();
    }

    /**
     * The protocol family that the device speaks ({@code transport_type}).
     *
     * @return the family
     */
    public TransportType transportType() {
        return TransportType.of(ops.transportType());
    }

    /**
     * Opens the device ({@code ibv_open_device}). It may be opened any number of times; contexts
     * share only the device's limits and its network.
     *
     * @return a context; close it after everything in it
     * @throws VerbsException if the device cannot be opened: {@code EACCES} if its file may not be
     *     used, {@code ENODEV} if it is gone, {@code EMFILE} when there are too many open files
     * @throws IllegalArgumentException if a system property of loomverbs has a wrong value; the
     *     module's documentation lists them
     */
    public Context open() {
        Setting.checkAll();
        try {
            return new Context(this, ops);
        } catch (DeviceException e) {
            throw VerbsException.of("ibv_open_device", e);
        }
    }

    /** The name. */
    @Override
    public String toString() {
        return name();
    }
}
