package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Finds the queue pairs of a context by their number. A lookup takes no lock and allocates nothing.
 */
final class QpNumbers<T> {
    /*
     * A hash table with chains. Threads that change it hold the lock; readers do not. A new entry
     * becomes the first of its chain. A removed entry keeps its link, so a reader that stands on it
     * still comes to all that follow. A longer table has entries of its own, so the chains of the
     * table that it replaces do not change any more.
     *
     * A device may give the number of a destroyed queue pair to a new one before the old one is
     * removed here. So an entry is removed by its object, and the newest of a number is found.
     */
    private static final int FIRST_CHAINS = 16;

    /** 2^32 divided by the golden ratio: spreads numbers that differ in any few bits. */
    private static final int SPREAD = 0x9e37_79b9;

    /** An object that is, or will be, in the table; or the head of a chain, without one. */
    static final class Entry<T> {
        private final @Nullable T object;

        /** Written once, before the entry is in the table. */
        private int number;

        /** Written under the lock. */
        private volatile @Nullable Entry<T> next;

        Entry(@Nullable T object) {
            this.object = object;
        }
    }

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private int size;

    /** The heads. Replaced, under the lock, by a longer array; what is in one does not change. */
    private volatile Entry<T>[] chains = chains(FIRST_CHAINS);

    /** Allocates all that {@link #add} needs for one more. */
    Entry<T> prepare(T object) {
        Entry<T> entry = new Entry<>(object);
        lock.lock();
        try {
            if (size >= chains.length) {
                grow();
            }
        } finally {
            lock.unlock();
        }
        return entry;
    }

    /** Adds what was prepared. */
    void add(int number, Entry<T> prepared) {
        lock.lock();
        try {
            prepared.number = number;
            push(chains, prepared);
            size++;
        } finally {
            lock.unlock();
        }
    }

    /** Removes an object; does nothing if it is not there. */
    @SuppressWarnings("ReferenceEquality") // not another one of the same number
    void remove(int number, T object) {
        lock.lock();
        try {
            Entry<T> before = chain(number, chains);
            for (Entry<T> e = before.next; e != null; e = e.next) {
                if (e.object == object) {
                    before.next = e.next;
                    size--;
                    return;
                }
                before = e;
            }
        } finally {
            lock.unlock();
        }
    }

    /** The object that got this number last, or null if it was removed. */
    @Nullable T find(int number) {
        for (Entry<T> e = chain(number, chains).next; e != null; e = e.next) {
            if (e.number == number) {
                return e.object;
            }
        }
        return null;
    }

    @GuardedBy("lock")
    private void grow() {
        Entry<T>[] longer = chains(2 * chains.length);
        for (Entry<T> head : chains) {
            copy(head.next, longer);
        }
        chains = longer;
    }

    /** The last first: so the newest of a number stays before the others. */
    private void copy(@Nullable Entry<T> from, Entry<T>[] to) {
        if (from != null) {
            copy(from.next, to);
            Entry<T> entry = new Entry<>(from.object);
            entry.number = from.number;
            push(to, entry);
        }
    }

    private static <T> void push(Entry<T>[] to, Entry<T> entry) {
        Entry<T> head = chain(entry.number, to);
        entry.next = head.next;
        head.next = entry;
    }

    private static <T> Entry<T> chain(int number, Entry<T>[] chains) {
        return chains[(number * SPREAD) >>> Integer.numberOfLeadingZeros(chains.length - 1)];
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of a generic type
    private static <T> Entry<T>[] chains(int length) {
        Entry<T>[] heads = new Entry[length];
        Arrays.setAll(heads, i -> new Entry<T>(null));
        return heads;
    }
}
