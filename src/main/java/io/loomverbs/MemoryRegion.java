package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.LostRegionException;
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
    private final Lifecycle usage;

    /** Written before the region is published, and later only by {@link #rereg}. */
    private volatile Registration now;

    /**
     * The memory that a {@link #rereg} that failed midway may have given to the device. Used only
     * in a change and in the close.
     */
    private @Nullable AllocatedMemory doubtful;

    /** The registered memory, its access and its keys; immutable once published. */
    static final class Registration {
        private final ProtectionDomain pd;

        /** For a dma-buf, whose memory is not mapped here, a segment of no bytes. */
        private final MemorySegment memory;

        private final long length;
        private final int access;

        /** The allocation that it is part of; null if the program registered its own memory. */
        private final @Nullable AllocatedMemory allocated;

        private final boolean isUsable;

        /** Written once, before this is published. */
        @SuppressWarnings("NullAway.Init")
        private MrOps ops;

        Registration(
                ProtectionDomain pd,
                MemorySegment memory,
                long length,
                int access,
                @Nullable AllocatedMemory allocated) {
            this(pd, memory, length, access, allocated, true);
        }

        private Registration(
                ProtectionDomain pd,
                MemorySegment memory,
                long length,
                int access,
                @Nullable AllocatedMemory allocated,
                boolean isUsable) {
            this.pd = pd;
            this.memory = memory;
            this.length = length;
            this.access = access;
            this.allocated = allocated;
            this.isUsable = isUsable;
        }

        private Registration unusable() {
            return new Registration(pd, memory, length, access, allocated, false).of(ops);
        }

        private Registration of(MrOps registered) {
            this.ops = registered;
            return this;
        }
    }

    /** A region that is not registered yet: {@link #created} must follow. */
    @SuppressWarnings("NullAway.Init")
    MemoryRegion(ProtectionDomain pd) {
        this.usage = new Lifecycle(this, pd.usage());
    }

    MemoryRegion created(Registration registration, MrOps created) {
        this.now = registration.of(created);
        return this;
    }

    /**
     * The protection domain that the memory was registered in.
     *
     * @return the protection domain, after the last {@link #rereg}
     */
    public ProtectionDomain pd() {
        return now.pd;
    }

    /**
     * The memory itself. After {@link #close} it is unchanged if the program registered its own
     * memory, and unusable if {@link ProtectionDomain#allocateMr} allocated it.
     *
     * @return the segment that was registered; for memory of a device, of {@link
     *     ProtectionDomain#regDmabufMr}, a segment of no bytes
     */
    public MemorySegment memory() {
        return now.memory;
    }

    /**
     * The address of the region's first byte, which peers use ({@code addr}).
     *
     * @return the address
     */
    public long address() {
        return now.memory.address();
    }

    /**
     * The size of the region ({@code length}).
     *
     * @return bytes
     */
    public long length() {
        return now.length;
    }

    /**
     * The allowed accesses to the memory.
     *
     * @return the access that it was registered with, as a new set
     */
    public Set<Access> access() {
        return Access.of(now.access);
    }

    /**
     * The key by which local work requests name the region.
     *
     * @return the {@code lkey}, which {@link #rereg} may change
     */
    public int lkey() {
        return now.ops.lkey();
    }

    /**
     * The key by which peers name the region.
     *
     * @return the {@code rkey}, which {@link #rereg} may change
     */
    public int rkey() {
        return now.ops.rkey();
    }

    /**
     * Whether requests may name the region. It is false after a {@link #rereg} in which the device
     * failed midway: then the region can only be closed.
     *
     * @return true as long as no change has failed in that way, whether or not the region is closed
     */
    public boolean isUsable() {
        return now.isUsable;
    }

    /**
     * Changes the region's memory, protection domain or access ({@code ibv_rereg_mr}). Its keys may
     * change: read {@link #lkey} and {@link #rkey} again, and send them to the peers. No request
     * that names the region may be outstanding: it can end with a protection or access error. When
     * this has returned, the device no longer accesses memory that the region had before; memory of
     * {@link ProtectionDomain#allocateMr} is then returned to the system as by {@link #close}.
     *
     * <p>Pins and unpins memory like a registration, and takes as long. Threads that change or
     * close the region meanwhile wait. Not interruptible.
     *
     * <p>If the device refuses, the message says in which state the region is. Either nothing has
     * changed, not even the keys; or the device has failed midway ({@code IBV_REREG_MR_ERR_CMD}),
     * {@link #isUsable} is false, and the region can only be closed. It holds its old and its new
     * memory until then. A region whose memory was changed, and whose old memory could not be given
     * back to children of {@code fork} ({@code IBV_REREG_MR_ERR_DO_FORK_OLD}), was changed.
     *
     * @param changes the changes
     * @throws IllegalArgumentException if nothing changes, the domain is of another context, or the
     *     memory and the access are not as {@link ProtectionDomain#regMr(MemorySegment, Access...)}
     *     demands
     * @throws IllegalStateException if the region is not usable
     * @throws ClosedException if the region or the new domain is closed
     * @throws VerbsException if the device refuses: {@code EOPNOTSUPP} if it cannot do it, like
     *     soft-RoCE; {@code EINVAL} for memory of a dma-buf; or as for {@link
     *     ProtectionDomain#regMr(MemorySegment, Access...)}
     */
    public void rereg(MrChanges changes) {
        Arguments.notNull(changes, "changes");
        usage.ensureOpen();
        MrArguments.check(changes, this);
        int rc = usage.change(() -> change(changes));
        if (rc == Lifecycle.IN_USE) {
            throw BusyMessage.refusal("ibv_rereg_mr", this, usage);
        }
    }

    private int change(MrChanges changes) {
        ensureUsable();
        Registration before = now;
        MemorySegment memory = changes.memory();
        ProtectionDomain pd = changes.pd();
        int access = changes.access(before.access);
        Registration lost = before.unusable(); // first: memory may run out
        AllocatedMemory held = null;
        boolean isReserved = false;
        try {
            if (pd != null) {
                pd.usage().reserve();
                isReserved = true;
            }
            held = memory == null ? before.allocated : AllocatedMemory.holding(memory);
            Registration after =
                    new Registration(
                            pd == null ? before.pd : pd,
                            memory == null ? before.memory : memory,
                            memory == null ? before.length : memory.byteSize(),
                            access,
                            held);
            MrOps ops =
                    before.ops.rereg(changes.flags(), pd == null ? null : pd.ops(), memory, access);
            now = after.of(ops);
            held = memory == null ? null : before.allocated; // that is to be released
            if (pd != null) {
                isReserved = false;
                usage.replaceUsed(pd.usage());
            }
            return 0;
        } catch (LostRegionException e) {
            now = lost;
            if (memory != null) {
                doubtful = held;
                held = null;
            }
            throw VerbsException.of("ibv_rereg_mr", e);
        } catch (DeviceException e) {
            throw VerbsException.of("ibv_rereg_mr", e);
        } finally {
            if (isReserved && pd != null) {
                pd.usage().leave();
            }
            if (held != null && memory != null) {
                held.release();
            }
        }
    }

    private void ensureUsable() {
        if (!now.isUsable) {
            throw new IllegalStateException(
                    this
                            + " is not usable, since ibv_rereg_mr has failed midway: it can only be"
                            + " closed");
        }
    }

    /**
     * Advises the device that requests will soon need the pages of a part of the region ({@code
     * ibv_advise_mr}). It is only advice: pages may be evicted again, and requests load pages that
     * are missing. If the device refuses, requests work as before.
     *
     * @param advice what to do
     * @param offset where the part begins, from the region's first byte on
     * @param bytes how long it is, at least 1
     * @param flush whether to return only when it is done ({@code IBV_ADVISE_MR_FLAG_FLUSH}), which
     *     takes as long as loading the pages; otherwise the device may do it later
     * @throws IllegalArgumentException if the part is not within the region
     * @throws IllegalStateException if the region is not usable
     * @throws ClosedException if the region is closed
     * @throws VerbsException if the device refuses: {@code EOPNOTSUPP} if it cannot do it, like
     *     soft-RoCE and {@code strict0}; {@code EINVAL} if the region was registered without {@link
     *     Access#ON_DEMAND}; {@code EPERM} for {@link MrAdvice#PREFETCH_WRITE} without {@link
     *     Access#LOCAL_WRITE}; {@code EFAULT} if a part is not mapped
     */
    public void advise(MrAdvice advice, long offset, long bytes, boolean flush) {
        Arguments.notNull(advice, "advice");
        ensureOpen();
        Registration of = now;
        MrOps ops = of.ops;
        Arguments.inRange("offset", offset, 0, of.length - 1, "the length of " + this);
        Arguments.inRange("bytes", bytes, 1, of.length - offset, "what is left of " + this);
        int rc = ops.advise(advice.advice(), flush, of.memory.address() + offset, bytes);
        if (rc != 0) {
            usage.ensureOpen();
            throw VerbsException.refused(
                    "ibv_advise_mr", rc, advice + " of " + bytes + " bytes of " + this);
        }
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
        int rc = usage.close(() -> now.ops.dereg(), this::deregistered);
        if (rc != 0) {
            throw VerbsException.refused(
                    "ibv_dereg_mr",
                    rc,
                    this + " was not deregistered" + MemoryWindow.boundTo(this));
        }
    }

    private void deregistered() {
        AllocatedMemory allocated = now.allocated;
        if (allocated != null) {
            allocated.release();
        }
        AllocatedMemory other = doubtful;
        if (other != null) {
            other.release();
        }
    }

    MrOps ops() {
        usage.ensureOpen();
        return now.ops;
    }

    Lifecycle usage() {
        return usage;
    }

    /** Whether requests may name it: not closed, and usable. */
    void ensureOpen() {
        usage.ensureOpen();
        ensureUsable();
    }

    /** The keys and the extent. */
    @Override
    public String toString() {
        Registration of = now;
        return String.format(
                Locale.ROOT,
                "%s/mr[lkey 0x%x, rkey 0x%x, %d bytes at 0x%x]",
                of.pd,
                of.ops.lkey(),
                of.ops.rkey(),
                of.length,
                of.memory.address());
    }
}
