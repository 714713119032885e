package io.loomverbs.internal.device;

/**
 * An operation of the ops table that creates something failed. The API turns it into the public
 * exception, adding what the caller had asked for.
 */
public class DeviceException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final int errno;

    public DeviceException(int errno, String detail) {
        super(detail, null, false, false);
        this.errno = errno;
    }

    public int errno() {
        return errno;
    }

    /** The exception for an operation that a device lacks. */
    public static DeviceException unsupported(String verb) {
        return new DeviceException(Errno.EOPNOTSUPP, verb + " is not implemented by this device");
    }
}
