package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

/**
 * An optional feature of a device that loomverbs uses ({@code enum ibv_device_cap_flags}).
 *
 * @since 0.1.0
 */
public enum DeviceCapability {
    /** {@link SharedReceiveQueue#resize}. */
    SRQ_RESIZE(Ibv.DEVICE_SRQ_RESIZE),
    /** Memory windows of {@link MwType#TYPE_1}. */
    MEM_WINDOW(Ibv.DEVICE_MEM_WINDOW),
    /** SEND with invalidation, and local invalidation. */
    MEM_MGT_EXTENSIONS(Ibv.DEVICE_MEM_MGT_EXTENSIONS),
    /** Memory windows of {@link MwType#TYPE_2} that belong to a queue pair by its number. */
    MEM_WINDOW_TYPE_2A(Ibv.DEVICE_MEM_WINDOW_TYPE_2A),
    /** Memory windows of {@link MwType#TYPE_2} that belong to a queue pair and its domain. */
    MEM_WINDOW_TYPE_2B(Ibv.DEVICE_MEM_WINDOW_TYPE_2B);

    private final int flag;

    DeviceCapability(int flag) {
        this.flag = flag;
    }

    int flag() {
        return flag;
    }
}
