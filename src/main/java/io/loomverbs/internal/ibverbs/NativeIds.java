package io.loomverbs.internal.ibverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Numbers for objects that native code returns: libibverbs gets them as {@code cq_context} and
 * {@code qp_context}. A number is never reused for another object, even if its place is: a late
 * event of a destroyed object finds nothing. A lookup takes no lock and allocates nothing.
 */
final class NativeIds<T> {
    private static final int FIRST_PLACES = 16;

    /** {@code id} is a generation, from 1 on, in the upper and a place in the lower half. */
    private record Entry<T>(long id, T object) {}

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private int[] generations = new int[FIRST_PLACES];

    /** A stack of the free places. */
    @GuardedBy("lock")
    private int[] free = new int[FIRST_PLACES];

    @GuardedBy("lock")
    private int freeCount;

    @GuardedBy("lock")
    private int used;

    /** Replaced, under the lock, by a longer copy; entries of an old copy are still valid. */
    private volatile AtomicReferenceArray<@Nullable Entry<T>> entries =
            new AtomicReferenceArray<>(FIRST_PLACES);

    /** Gives an object a number, which is not 0. */
    long add(T object) {
        lock.lock();
        try {
            if (freeCount == 0 && used == generations.length) {
                grow();
            }
            int place = freeCount > 0 ? free[freeCount - 1] : used;
            long id = (long) (generations[place] + 1) << 32 | place;
            entries.set(place, new Entry<>(id, object));
            // Nothing below can fail for lack of memory.
            generations[place]++;
            if (freeCount > 0) {
                freeCount--;
            } else {
                used++;
            }
            return id;
        } finally {
            lock.unlock();
        }
    }

    /** The object of a number, or null if it was removed. */
    @Nullable T get(long id) {
        AtomicReferenceArray<@Nullable Entry<T>> all = entries;
        int place = (int) id;
        if (place < 0 || place >= all.length()) {
            return null;
        }
        Entry<T> entry = all.get(place);
        return entry != null && entry.id == id ? entry.object : null;
    }

    /** How many places there are; the number only grows. */
    int places() {
        return entries.length();
    }

    /** The object at a place, from 0 on, or null. */
    @Nullable T at(int place) {
        Entry<T> entry = entries.get(place);
        return entry == null ? null : entry.object;
    }

    /** Takes a number back; does nothing if it was taken back before. */
    void remove(long id) {
        lock.lock();
        try {
            int place = (int) id;
            Entry<T> entry = entries.get(place);
            if (entry == null || entry.id != id) {
                return;
            }
            entries.set(place, null);
            // A place whose generations are used up is not used again.
            if (generations[place] != -1) {
                free[freeCount++] = place;
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void grow() {
        int places = 2 * generations.length;
        int[] moreGenerations = Arrays.copyOf(generations, places);
        int[] moreFree = Arrays.copyOf(free, places);
        AtomicReferenceArray<@Nullable Entry<T>> longer = new AtomicReferenceArray<>(places);
        for (int i = 0; i < entries.length(); i++) {
            longer.set(i, entries.get(i));
        }
        generations = moreGenerations;
        free = moreFree;
        entries = longer;
    }
}
