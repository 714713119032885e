package io.loomverbs.internal.soft;

import java.lang.foreign.MemorySegment;

/**
 * Moves bytes between memory that is named by scatter/gather lists. Every entry is looked up and
 * checked at the moment of its copy, so that a list fails that names a deregistered region, a
 * region whose arena was closed or whose file was shortened, or an unbound window. Never throws for
 * that.
 */
final class SgCopy {
    static final int DONE = 0;
    static final int SOURCE_FAULT = 1;
    static final int TARGET_FAULT = 2;

    private SgCopy() {}

    /** Whether every entry of a list may be used in the way that {@code access} says. */
    static boolean usable(Keys keys, long[] list, int entries, int access) {
        for (int i = 0; i < entries; i++) {
            long bytes = Sges.length(list, i);
            if (bytes != 0) {
                KeyedMemory mr = keys.find(Sges.key(list, i));
                if (mr == null
                        || !mr.grants(access, Sges.addr(list, i), bytes)
                        || !mr.memory.scope().isAlive()) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Copies {@code bytes} from list to list; the target's first {@code skip} bytes stay. */
    static int copy(
            Keys sourceKeys,
            long[] source,
            int sourceEntries,
            int sourceAccess,
            Keys targetKeys,
            long[] target,
            int targetEntries,
            int targetAccess,
            long skip,
            long bytes) {
        long at = skip;
        long left = bytes;
        for (int i = 0; i < sourceEntries && left > 0; i++) {
            long n = Math.min(left, Sges.length(source, i));
            if (n == 0) {
                continue;
            }
            long addr = Sges.addr(source, i);
            KeyedMemory mr = sourceKeys.find(Sges.key(source, i));
            if (mr == null || !mr.grants(sourceAccess, addr, n) || !mr.acquire()) {
                return SOURCE_FAULT;
            }
            int result;
            try {
                result =
                        scatter(
                                mr.memory,
                                mr.offset(addr),
                                targetKeys,
                                target,
                                targetEntries,
                                targetAccess,
                                at,
                                n);
            } finally {
                mr.release();
            }
            if (result != DONE) {
                return result;
            }
            at += n;
            left -= n;
        }
        return DONE;
    }

    /** Copies {@code bytes} of a segment to a list, whose first {@code skip} bytes stay. */
    static int scatter(
            MemorySegment source,
            long sourceAt,
            Keys keys,
            long[] target,
            int entries,
            int access,
            long skip,
            long bytes) {
        long from = sourceAt;
        long left = bytes;
        long before = skip;
        for (int i = 0; i < entries && left > 0; i++) {
            long size = Sges.length(target, i);
            if (before >= size) {
                before -= size;
                continue;
            }
            long n = Math.min(left, size - before);
            long addr = Sges.addr(target, i) + before;
            KeyedMemory mr = keys.find(Sges.key(target, i));
            if (mr == null || !mr.grants(access, addr, n) || !mr.acquire()) {
                return TARGET_FAULT;
            }
            try {
                MemorySegment.copy(source, from, mr.memory, mr.offset(addr), n);
                FileMapping.settle(source);
                FileMapping.settle(mr.memory);
            } catch (IllegalStateException closed) {
                return source.scope().isAlive() ? TARGET_FAULT : SOURCE_FAULT;
            } catch (InternalError shortened) {
                return FileMapping.isReadable(source, from, n) ? TARGET_FAULT : SOURCE_FAULT;
            } finally {
                mr.release();
            }
            before = 0;
            from += n;
            left -= n;
        }
        return DONE;
    }
}
