package io.loomverbs.internal.device;

/** A device that can be opened: {@code struct ibv_device}. */
public interface DeviceOps {
    /** The name of {@code ibv_get_device_name}, such as {@code soft0} or {@code mlx5_0}. */
    String name();

    /** The node GUID of {@code ibv_get_device_guid}, most significant byte first. */
    long guid();

    /** {@code transport_type}; 0 is InfiniBand. */
    default int transportType() {
        return 0;
    }

    /** {@code ibv_open_device}. {@code events} receives the events of the device and its ports. */
    ContextOps open(PortListener events);

    /** Receives asynchronous events of the device or of one of its ports. */
    @FunctionalInterface
    interface PortListener {
        /**
         * {@code port} is 0 for events of the whole device. Called from any thread; never blocks.
         */
        void asyncEvent(int type, int port);
    }
}
