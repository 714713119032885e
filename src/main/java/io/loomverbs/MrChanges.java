package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.util.Set;

/**
 * The changes that {@link MemoryRegion#rereg} makes to a region, all at once. Start with {@link
 * #of}; each {@code with} method gives a changed copy.
 *
 * @since 0.1.0
 */
public final class MrChanges {
    private static final MrChanges NONE = new MrChanges(null, null, null);

    private final @Nullable MemorySegment memory;
    private final @Nullable ProtectionDomain pd;
    private final @Nullable Integer access;

    private MrChanges(
            @Nullable MemorySegment memory,
            @Nullable ProtectionDomain pd,
            @Nullable Integer access) {
        this.memory = memory;
        this.pd = pd;
        this.access = access;
    }

    /**
     * No change.
     *
     * @return the changes, for the {@code with} methods
     */
    public static MrChanges of() {
        return NONE;
    }

    /**
     * Changes the memory ({@code IBV_REREG_MR_CHANGE_TRANSLATION}).
     *
     * @param to native memory, as for {@link ProtectionDomain#regMr(MemorySegment, Access...)}
     * @return a changed copy
     */
    public MrChanges withMemory(MemorySegment to) {
        return new MrChanges(Arguments.notNull(to, "to"), pd, access);
    }

    /**
     * Changes the protection domain ({@code IBV_REREG_MR_CHANGE_PD}).
     *
     * @param to a domain of the same context
     * @return a changed copy
     */
    public MrChanges withPd(ProtectionDomain to) {
        return new MrChanges(memory, Arguments.notNull(to, "to"), access);
    }

    /**
     * Changes what is allowed ({@code IBV_REREG_MR_CHANGE_ACCESS}).
     *
     * @param access all that is allowed from then on, besides reading it locally
     * @return a changed copy
     */
    public MrChanges withAccess(Access... access) {
        return new MrChanges(memory, pd, Access.flags(access));
    }

    /**
     * The new memory.
     *
     * @return the memory, or null if it does not change
     */
    public @Nullable MemorySegment memory() {
        return memory;
    }

    /**
     * The new protection domain.
     *
     * @return the protection domain, or null if it does not change
     */
    public @Nullable ProtectionDomain pd() {
        return pd;
    }

    /**
     * What is allowed from then on.
     *
     * @return a new set, or null if it does not change
     */
    public @Nullable Set<Access> access() {
        return access == null ? null : Access.of(access);
    }

    /** The access after the change, if {@code before} is the present one. */
    int access(int before) {
        return access == null ? before : access;
    }

    /** The flags of {@code ibv_rereg_mr}. */
    int flags() {
        return (memory == null ? 0 : Ibv.REREG_MR_CHANGE_TRANSLATION)
                | (pd == null ? 0 : Ibv.REREG_MR_CHANGE_PD)
                | (access == null ? 0 : Ibv.REREG_MR_CHANGE_ACCESS);
    }

    /** The changes. */
    @Override
    public String toString() {
        return "MrChanges[memory="
                + (memory == null ? "-" : memory.byteSize() + " bytes")
                + ", pd="
                + (pd == null ? "-" : pd)
                + ", access="
                + (access == null ? "-" : access())
                + "]";
    }
}
