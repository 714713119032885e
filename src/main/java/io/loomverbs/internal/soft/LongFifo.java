package io.loomverbs.internal.soft;

/** A queue of numbers that grows. For one thread at a time. */
final class LongFifo {
    private static final int FIRST = 8;

    /** A power of two. */
    private long[] values = new long[FIRST];

    private int head;
    private int size;

    /** Makes room for one more, so that {@link #add} cannot fail. */
    void reserve() {
        if (size == values.length) {
            long[] longer = new long[2 * size];
            System.arraycopy(values, head, longer, 0, size - head);
            System.arraycopy(values, 0, longer, size - head, head);
            values = longer;
            head = 0;
        }
    }

    void add(long value) {
        reserve();
        values[head + size & values.length - 1] = value;
        size++;
    }

    /** The oldest; there must be one. */
    long remove() {
        long value = values[head];
        head = head + 1 & values.length - 1;
        size--;
        return value;
    }
}
