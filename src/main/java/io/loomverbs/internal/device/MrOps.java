package io.loomverbs.internal.device;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/** A memory region: {@code struct ibv_mr}. */
public interface MrOps {
    int lkey();

    int rkey();

    /** The {@code struct ibv_mr}; 0 if there is none. */
    default long address() {
        return 0;
    }

    /**
     * {@code ibv_rereg_mr}; the caller allows one call at a time, and none beside {@link #dereg}.
     * What must not be used any more after a failure throws {@link LostRegionException}; after any
     * other {@link DeviceException} the region is as before.
     *
     * @param pd the new domain, or null for the one that it has
     * @param memory the new memory, or null for what it has
     * @param flags what changes: {@code IBV_REREG_MR_CHANGE_*}
     * @param access what is allowed from now on, whether that changes or not
     * @return the region from now on, instead of this
     */
    default MrOps rereg(int flags, @Nullable PdOps pd, @Nullable MemorySegment memory, int access) {
        throw DeviceException.unsupported("ibv_rereg_mr");
    }

    /**
     * {@code ibv_advise_mr}, for a part of the region: 0 or a negative errno.
     *
     * @param flush whether to return only when it is done
     */
    default int advise(int advice, boolean flush, long address, long bytes) {
        return -Errno.EOPNOTSUPP;
    }

    /** {@code ibv_dereg_mr}: 0 or a negative errno. */
    int dereg();
}
