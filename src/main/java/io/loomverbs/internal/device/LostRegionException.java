package io.loomverbs.internal.device;

/** A memory region could not be changed, and can only be deregistered now. */
public final class LostRegionException extends DeviceException {
    private static final long serialVersionUID = 1L;

    public LostRegionException(int errno, String detail) {
        super(errno, detail);
    }
}
