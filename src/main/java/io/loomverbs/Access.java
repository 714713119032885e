package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import java.util.EnumSet;
import java.util.Set;

/**
 * What may be done with a memory region, or over a queue pair ({@code enum ibv_access_flags}).
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
     * devices that can do it; {@code soft0} can, {@code strict0} and many others cannot.
     */
    ON_DEMAND(Ibv.ACCESS_ON_DEMAND),
    /**
     * The device may write the bytes of a message in any order, which is faster on some hosts. Rely
     * on completions then, and do not look for the last byte. Only for regions; a device that
     * cannot do it writes in order.
     */
    RELAXED_ORDERING(Ibv.ACCESS_RELAXED_ORDERING);

    private static final int OF_REGIONS = Ibv.ACCESS_ON_DEMAND | Ibv.ACCESS_RELAXED_ORDERING;

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
        if ((flags & OF_REGIONS) != 0) {
            throw new IllegalArgumentException(
                    "access is "
                            + of(flags)
                            + ", but ON_DEMAND and RELAXED_ORDERING are of memory regions only");
        }
        return flags;
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
