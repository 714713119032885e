package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import java.util.EnumSet;
import java.util.Set;

/**
 * An access that a memory region or a queue pair allows ({@code enum ibv_access_flags}).
 *
 * @since 0.1.0
 */
public enum Access {
    /**
     * The device may write to it for its owner: receives, the results of READs and atomics. Local
     * reading is always allowed.
     */
    LOCAL_WRITE(Ibv.ACCESS_LOCAL_WRITE),
    /** A peer may write to it; for a region only together with {@link #LOCAL_WRITE}. */
    REMOTE_WRITE(Ibv.ACCESS_REMOTE_WRITE),
    /** A peer may read it, by RDMA READ. */
    REMOTE_READ(Ibv.ACCESS_REMOTE_READ),
    /**
     * A peer may do atomic operations on it; for a region only together with {@link #LOCAL_WRITE}.
     */
    REMOTE_ATOMIC(Ibv.ACCESS_REMOTE_ATOMIC),
    /**
     * The memory is not pinned: the device loads pages when it needs them. Only for regions, on
     * devices that support it; {@code soft0} does, {@code strict0} and many others do not.
     */
    ON_DEMAND(Ibv.ACCESS_ON_DEMAND),
    /**
     * The program promises that all pages of the memory are huge pages, and stay so; the device
     * then needs fewer entries. Only for regions; useful together with {@link #ON_DEMAND}.
     */
    HUGETLB(Ibv.ACCESS_HUGETLB),
    /**
     * The device may write the bytes of a message in any order, which is faster on some hosts. Rely
     * on completions then, and do not wait for the last byte to change. Only for regions; a device
     * that does not support it writes in order.
     */
    RELAXED_ORDERING(Ibv.ACCESS_RELAXED_ORDERING),
    /** Memory windows may be bound to it. Only for regions. */
    MW_BIND(Ibv.ACCESS_MW_BIND),
    /**
     * Peers address it from 0 on, by the distance to its first byte. Only for memory windows, and
     * on many devices only for those of {@link MwType#TYPE_2}.
     */
    ZERO_BASED(Ibv.ACCESS_ZERO_BASED);

    private static final int OF_REGIONS =
            Ibv.ACCESS_ON_DEMAND
                    | Ibv.ACCESS_HUGETLB
                    | Ibv.ACCESS_RELAXED_ORDERING
                    | Ibv.ACCESS_MW_BIND;

    private static final int OF_WINDOWS =
            Ibv.ACCESS_REMOTE_WRITE
                    | Ibv.ACCESS_REMOTE_READ
                    | Ibv.ACCESS_REMOTE_ATOMIC
                    | Ibv.ACCESS_ZERO_BASED;

    private final int flag;

    Access(int flag) {
        this.flag = flag;
    }

    static int flags(Access... access) {
        Arguments.notNull(access, "access");
        int flags = 0;
        for (Access a : access) {
            flags |= Arguments.notNull(a, "access").flag;
        }
        return flags;
    }

    /** The same, for a queue pair. */
    static int flagsOfQp(Access... access) {
        int flags = flags(access);
        checkNotZeroBased(flags);
        if ((flags & OF_REGIONS) != 0) {
            throw new IllegalArgumentException(
                    "access is "
                            + of(flags)
                            + ", but ON_DEMAND, HUGETLB, RELAXED_ORDERING and MW_BIND are for"
                            + " memory regions only");
        }
        return flags;
    }

    static void checkOfMw(int flags) {
        if ((flags & ~OF_WINDOWS) != 0) {
            throw new IllegalArgumentException(
                    "access is "
                            + of(flags)
                            + ", but a memory window has no more than "
                            + of(OF_WINDOWS));
        }
    }

    static void checkNotZeroBased(int flags) {
        if ((flags & Ibv.ACCESS_ZERO_BASED) != 0) {
            throw new IllegalArgumentException(
                    "access is " + of(flags) + ", but ZERO_BASED is for memory windows only");
        }
    }

    static Set<Access> of(int flags) {
        Set<Access> set = EnumSet.noneOf(Access.class);
        for (Access a : values()) {
            if ((flags & a.flag) != 0) {
                set.add(a);
            }
        }
        return set;
    }
}
