package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Supplier;

/**
 * A bounded queue of reusable slots, for one consumer at a time and for producers that hold its
 * lock. Slots are made when first needed, and the array doubles up to the limit: a queue that was
 * never used costs next to nothing.
 *
 * <p>A producer fills in slots of {@link #claim} and then calls {@link #publish}, for all of them
 * at once. Until then nothing has changed: what it has filled in is filled in again. What makes
 * this safe without the consumer taking the lock: {@code tail} is written with release after the
 * slots and their array, and read with acquire before them; {@code head} likewise the other way
 * around, before a slot is filled in again.
 */
@SuppressWarnings("serial") // see Mutex
final class SlotRing<T> extends Mutex {
    private static final int FIRST_LENGTH = 4;
    private static final @Nullable Object[] NOTHING = {};
    private static final VarHandle HEAD;
    private static final VarHandle TAIL;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            HEAD = lookup.findVarHandle(SlotRing.class, "head", int.class);
            TAIL = lookup.findVarHandle(SlotRing.class, "tail", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Supplier<T> maker;
    private final int limit;

    /**
     * The slot of position p is at p modulo the length, a power of two. Written under the lock.
     * Volatile, as the consumer may come upon a longer array before the tail that made it
     * necessary.
     */
    private volatile @Nullable Object[] slots = NOTHING;

    /** Position of the oldest slot in use. Written by the consumer with release. */
    private int head;

    /** Position after the newest. Written under the lock with release. */
    private int tail;

    SlotRing(int limit, Supplier<T> maker) {
        this.limit = limit;
        this.maker = maker;
    }

    /**
     * The slot to fill in after {@code filled} others that are not published yet; null if all are
     * in use.
     */
    @Nullable T claim(int filled) {
        int position = tail + filled;
        int inUse = position - (int) HEAD.getAcquire(this);
        if (inUse >= limit) {
            return null;
        }
        @Nullable Object[] array = slots;
        if (inUse == array.length) {
            array = grow(array, position);
        }
        int at = position & array.length - 1;
        Object slot = array[at];
        if (slot == null) {
            slot = maker.get();
            array[at] = slot;
        }
        return cast(slot);
    }

    /** Makes the filled slots available to the consumer. */
    void publish(int filled) {
        TAIL.setRelease(this, tail + filled);
    }

    /** Position of the next slot to fill in. Under the lock. */
    int tail() {
        return tail;
    }

    /** Position of the oldest slot in use. Consumer only. */
    int head() {
        return head;
    }

    /** The oldest slot, or null if there is none. Consumer only. */
    @Nullable T peek() {
        if (head == (int) TAIL.getVolatile(this)) {
            return null;
        }
        @Nullable Object[] array = slots;
        return cast(array[head & array.length - 1]);
    }

    /** Gives the oldest slot back to the producers. Consumer only. */
    void advance() {
        HEAD.setRelease(this, head + 1);
    }

    /** Drops what is queued. For a consumer that holds the lock too. */
    void clear() {
        HEAD.setRelease(this, tail);
    }

    /*
     * Every old position moves to its place in the longer array. The consumer may take the oldest
     * meanwhile; its slot is then just one that can be filled in again.
     */
    private @Nullable Object[] grow(@Nullable Object[] old, int end) {
        int length = old.length == 0 ? FIRST_LENGTH : 2 * old.length;
        @Nullable Object[] longer = new Object[length];
        for (int p = end - old.length; p != end; p++) {
            longer[p & length - 1] = old[p & old.length - 1];
        }
        slots = longer;
        return longer;
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // positions in use hold slots of the maker
    private T cast(@Nullable Object slot) {
        return (T) slot;
    }
}
