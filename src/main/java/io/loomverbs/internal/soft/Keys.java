package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

/** Whose keys a scatter/gather list names: a domain's own, or those that a peer may use. */
interface Keys {
    /** The memory that a key denotes at this moment; null if there is none that may be used. */
    @Nullable KeyedMemory find(int key);
}
