package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import java.util.EnumSet;
import java.util.Set;

/** What may be done with a memory region, or over a queue pair ({@code enum ibv_access_flags}). */
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
    REMOTE_ATOMIC(Ibv.ACCESS_REMOTE_ATOMIC);

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
