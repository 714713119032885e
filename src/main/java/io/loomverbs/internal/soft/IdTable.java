package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * Finds objects by a number: queue pairs by their QP number, memory regions by their key.
 *
 * <p>A number is an index and, in the lowest bits, a generation: an index that is reused gets
 * another number, so that a stale number is noticed. Freed numbers are queued, so that an index is
 * reused as late as possible.
 */
@SuppressWarnings("serial") // see Mutex
final class IdTable<T extends IdTable.Entry> extends Mutex {
    /** Knows the number under which it can be found. */
    interface Entry {
        int id();
    }

    /** The lowest indices stay unused: verbs reserve key 0 and the QP numbers 0 and 1. */
    private static final int FIRST_INDEX = 8;

    private static final int CHUNK_BITS = 10;
    private static final int CHUNK = 1 << CHUNK_BITS;
    private static final VarHandle CHUNKS = MethodHandles.arrayElementVarHandle(Entry[][].class);
    private static final VarHandle ENTRIES = MethodHandles.arrayElementVarHandle(Entry[].class);

    private final int limit;
    private final int generationBits;

    /** Written with release under the lock, read with acquire by anyone; chunks are never freed. */
    private final @Nullable Entry[] @Nullable [] chunks;

    private int[] free = new int[16];

    private int freeHead;

    private int freeCount;

    private int nextIndex = FIRST_INDEX;

    private int live;

    IdTable(int limit, int generationBits) {
        this.limit = limit;
        this.generationBits = generationBits;
        this.chunks = new Entry[((limit + FIRST_INDEX) >>> CHUNK_BITS) + 1][];
    }

    int limit() {
        return limit;
    }

    /** The object with this number, or null. Any thread. */
    @Nullable T find(int id) {
        int index = id >>> generationBits;
        int chunk = index >>> CHUNK_BITS;
        if (chunk >= chunks.length) {
            return null;
        }
        @Nullable Entry[] entries = (Entry[]) CHUNKS.getAcquire(chunks, chunk);
        if (entries == null) {
            return null;
        }
        Entry entry = (Entry) ENTRIES.getAcquire(entries, index & CHUNK - 1);
        return entry != null && entry.id() == id ? cast(entry) : null;
    }

    /**
     * Adds what {@code maker} makes of a fresh number; null, and nothing made, if there is none.
     */
    @Nullable T add(IntFunction<T> maker) {
        lock();
        try {
            if (live == limit) {
                return null;
            }
            int id = freeCount > 0 ? free[freeHead] : nextIndex << generationBits;
            int index = id >>> generationBits;
            @Nullable Entry[] entries = chunks[index >>> CHUNK_BITS];
            if (entries == null) {
                entries = new Entry[CHUNK];
                CHUNKS.setRelease(chunks, index >>> CHUNK_BITS, entries);
            }
            T made = maker.apply(id);
            // Nothing below can fail for lack of memory.
            if (freeCount > 0) {
                freeHead = freeHead + 1 & free.length - 1;
                freeCount--;
            } else {
                nextIndex++;
            }
            live++;
            ENTRIES.setRelease(entries, index & CHUNK - 1, made);
            return made;
        } finally {
            unlock();
        }
    }

    /** Forgets an object that is in the table. */
    void remove(T entry) {
        lock();
        try {
            int id = entry.id();
            int index = id >>> generationBits;
            @Nullable Entry[] entries = chunks[index >>> CHUNK_BITS];
            if (entries == null) {
                return;
            }
            if (freeCount == free.length) { // first: memory may run out
                int[] longer = Arrays.copyOfRange(free, freeHead, freeHead + 2 * free.length);
                System.arraycopy(free, 0, longer, free.length - freeHead, freeHead);
                free = longer;
                freeHead = 0;
            }
            int generation = id + 1 & (1 << generationBits) - 1;
            ENTRIES.setRelease(entries, index & CHUNK - 1, null);
            live--;
            free[freeHead + freeCount & free.length - 1] = index << generationBits | generation;
            freeCount++;
        } finally {
            unlock();
        }
    }

    /** Shows every object; those added or removed meanwhile may be missed. */
    void forEach(Consumer<T> action) {
        for (int c = 0; c < chunks.length; c++) {
            @Nullable Entry[] entries = (Entry[]) CHUNKS.getAcquire(chunks, c);
            for (int i = 0; entries != null && i < CHUNK; i++) {
                Entry entry = (Entry) ENTRIES.getAcquire(entries, i);
                if (entry != null) {
                    action.accept(cast(entry));
                }
            }
        }
    }

    @SuppressWarnings("unchecked") // add() puts nothing else into the table
    private T cast(Entry entry) {
        return (T) entry;
    }
}
