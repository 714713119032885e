package io.loomverbs.internal.device;

/** Where the memory of regions comes from. */
public interface RegionMemorySource {
    /**
     * Allocates memory that reads zero.
     *
     * @throws DeviceException {@code ENOMEM}, with the limit that is in the way
     */
    RegionMemory allocate(long bytes);

    /** Gives back what is kept for the next allocation. */
    default void trim() {}
}
