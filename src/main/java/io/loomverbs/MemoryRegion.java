package io.loomverbs;

import io.loomverbs.internal.device.MrOps;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Set;

/**
 * Registered memory, which work requests can name ({@code struct ibv_mr}).
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class MemoryRegion implements AutoCloseable {
    private final ProtectionDomain pd;
    private final MemorySegment memory;
    private final int access;
    private final @Nullable AllocatedMemory allocated;
    private final Lifecycle usage;

    /** Written once, before the region is published. */
    @SuppressWarnings("NullAway.Init")
    private MrOps ops;

    /**
     * @param allocated the allocation that the memory is part of; null if the program registered
     *     its own memory
     */
    MemoryRegion(
            ProtectionDomain pd,
            MemorySegment memory,
            int access,
            @Nullable AllocatedMemory allocated) {
        this.pd = pd;
        this.memory = memory;
        this.access = access;
        this.allocated = allocated;
        this.usage = new Lifecycle(this, pd.usage());
    }

    MemoryRegion created(MrOps created) {
        this.ops = created;
        return this;
    }

    /**
     * The protection domain that the memory was registered in.
     *
     * @return the protection domain
     */
    public ProtectionDomain pd() {
        return pd;
    }

    /**
     * The memory itself. After {@link #close} it is unchanged if the program registered its own
     * memory, and unusable if {@link ProtectionDomain#allocateMr} allocated it.
     *
     * @return the segment that was registered
     */
    public MemorySegment memory() {
        return memory;
    }

    /**
     * The address of the region's first byte, which peers use ({@code addr}).
     *
     * @return the address
     */
    public long address() {
        return memory.address();
    }

    /**
     * The size of the region ({@code length}).
     *
     * @return bytes
     */
    public long length() {
        return memory.byteSize();
    }

    /**
     * The allowed accesses to the memory.
     *
     * @return the access that it was registered with, as a new set
     */
    public Set<Access> access() {
        return Access.of(access);
    }

    /**
     * The key by which local work requests name the region.
     *
     * @return the {@code lkey}
     */
    public int lkey() {
        return ops.lkey();
    }

    /**
     * The key by which peers name the region.
     *
     * @return the {@code rkey}
     */
    public int rkey() {
        return ops.rkey();
    }

    /**
     * Ends the registration ({@code ibv_dereg_mr}). When this has returned, the device no longer
     * accesses the memory: work requests that name the region, including outstanding ones, end with
     * a protection or access error. Closing again does nothing.
     *
     * <p>Memory that the program registered is unchanged. Memory of {@link
     * ProtectionDomain#allocateMr} is returned to the system, with the last open region that names
     * it. After that, reads return zero and writes are lost, or the access fails with an {@link
     * IllegalStateException}.
     *
     * @throws VerbsException if the device refuses, with {@code EBUSY} or {@code EINVAL} while a
     *     {@link MemoryWindow} is bound to it; nothing has changed then
     */
    @Override
    public void close() {
        int rc = usage.close(ops::dereg, this::deregistered);
        if (rc != 0) {
            throw VerbsException.refused(
                    "ibv_dereg_mr",
                    rc,
                    this + " was not deregistered" + MemoryWindow.boundTo(this));
        }
    }

    private void deregistered() {
        if (allocated != null) {
            allocated.release();
        }
    }

    MrOps ops() {
        usage.ensureOpen();
        return ops;
    }

    Lifecycle usage() {
        return usage;
    }

    void ensureOpen() {
        usage.ensureOpen();
    }

    /** The keys and the extent. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s/mr[lkey 0x%x, rkey 0x%x, %d bytes at 0x%x]",
                pd,
                lkey(),
                rkey(),
                length(),
                address());
    }
}
