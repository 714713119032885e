package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.event.ReadyFd;
import io.loomverbs.internal.ffi.EventFd;

/** A descriptor for objects without one in the kernel: an eventfd. */
record EventReadyFd(int number) implements ReadyFd {
    /**
     * A new descriptor.
     *
     * @throws UnsupportedOperationException if there can be none here
     * @throws DeviceException if the system has none left
     */
    static ReadyFd create() {
        Throwable cause = EventFd.unavailabilityCause();
        if (cause != null) {
            throw new UnsupportedOperationException(
                    "a file descriptor cannot be made: " + cause.getMessage(), cause);
        }
        int fd = EventFd.create();
        if (fd < 0) {
            throw new DeviceException(-fd, "no file descriptor was made");
        }
        return new EventReadyFd(fd);
    }

    @Override
    public void raise() {
        EventFd.raise(number);
    }

    @Override
    public void lower() {
        EventFd.lower(number);
    }

    @Override
    public void close() {
        EventFd.close(number);
    }
}
