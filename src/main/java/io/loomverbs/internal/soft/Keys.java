package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

/** Whose keys a scatter/gather list names: a domain's own, or those that a peer may use. */
interface Keys {
    /** What a key denotes at this moment; null if nothing that may be used. */
    @Nullable KeyedMemory find(int key);
}
