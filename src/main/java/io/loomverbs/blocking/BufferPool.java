package io.loomverbs.blocking;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.VerbsException;
import io.loomverbs.WaitStats;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Buffers of registered memory, all of one size, lent and given back. The memory is registered in
 * slabs, each when it is first needed.
 *
 * <pre>{@code
 * try (Buffer buffer = pool.take()) {
 *     requests.read(remote, buffer);
 * }
 * }</pre>
 *
 * <p>Safe for use by any number of threads. Threads that find the pool empty get buffers in the
 * order in which they came.
 *
 * @since 0.1.0
 */
public final class BufferPool implements AutoCloseable {
    static {
        AllClasses.load();
    }

    private static final int MOST_BUFFERS = 1 << 24;
    private static final int SLAB_BYTES = 1 << 20;
    private static final int ALIGNMENT = 64;

    private final ProtectionDomain pd;
    private final int bufferBytes;
    private final int buffers;
    private final int stride;
    private final int perSlab;
    private final Access[] access;
    private final boolean traced;
    private final Semaphore available;
    private final FreeList free;
    private final AtomicReferenceArray<@Nullable MemoryRegion> slabs;
    private final AtomicReferenceArray<@Nullable PoolLoan> lent;

    /** The threads that wait for a buffer, for {@code context.dump()}. */
    private final WaitList waiters = new WaitList();

    private final Shown awaited = () -> "a buffer of " + this;

    /** Kept here: the context refers to it weakly. */
    private final Supplier<List<WaitStats>> shown = this::waits;

    /** Indices below this were lent before, or are free. Under the lock of this. */
    private int made;

    private volatile boolean closed;

    private BufferPool(
            ProtectionDomain pd, int bufferBytes, int buffers, boolean traced, Access[] access) {
        this.pd = pd;
        this.bufferBytes = bufferBytes;
        this.buffers = buffers;
        this.traced = traced;
        this.access = access;
        this.stride =
                (int)
                        Math.min(
                                Integer.MAX_VALUE,
                                ((long) bufferBytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        this.perSlab = Math.max(1, Math.min(buffers, SLAB_BYTES / stride));
        this.available = new Semaphore(buffers, true);
        this.free = new FreeList(buffers);
        this.slabs = new AtomicReferenceArray<>((buffers + perSlab - 1) / perSlab);
        this.lent = new AtomicReferenceArray<>(buffers);
        pd.context().addWaits(shown);
    }

    /**
     * Makes a pool. No memory is registered yet.
     *
     * @param pd where the memory is registered
     * @param bufferBytes the size of a buffer, at least 1
     * @param buffers how many there are at most, 1 to 16777216
     * @param access what is allowed, besides {@link Access#LOCAL_WRITE}
     * @return the pool
     * @throws IllegalArgumentException if a number is out of range, or {@code access} has {@link
     *     Access#ZERO_BASED}
     */
    public static BufferPool of(
            ProtectionDomain pd, int bufferBytes, int buffers, Access... access) {
        return make(pd, bufferBytes, buffers, false, access);
    }

    /**
     * Makes a pool that records where each buffer was taken, with a stack trace: for tests, and to
     * find buffers that are not given back. Otherwise like {@link #of}.
     *
     * @param pd where the memory is registered
     * @param bufferBytes the size of a buffer, at least 1
     * @param buffers how many there are at most, 1 to 16777216
     * @param access what is allowed, besides {@link Access#LOCAL_WRITE}
     * @return the pool
     * @throws IllegalArgumentException if a number is out of range, or {@code access} has {@link
     *     Access#ZERO_BASED}
     */
    public static BufferPool traced(
            ProtectionDomain pd, int bufferBytes, int buffers, Access... access) {
        return make(pd, bufferBytes, buffers, true, access);
    }

    private static BufferPool make(
            ProtectionDomain pd, int bufferBytes, int buffers, boolean traced, Access[] access) {
        Check.notNull(pd, "pd");
        Check.inRange("bufferBytes", bufferBytes, 1, 1 << 30, "the size of a buffer");
        Check.inRange("buffers", buffers, 1, MOST_BUFFERS, "the size of a pool");
        Check.notNull(access, "access");
        Access[] all = new Access[access.length + 1];
        all[0] = Access.LOCAL_WRITE;
        for (int i = 0; i < access.length; i++) {
            all[i + 1] = Check.notNull(access[i], "access");
            if (access[i] == Access.ZERO_BASED) {
                throw new IllegalArgumentException(
                        "access is "
                                + Arrays.toString(access)
                                + ", but ZERO_BASED is for memory windows only");
            }
        }
        return new BufferPool(pd, bufferBytes, buffers, traced, all);
    }

    /**
     * The protection domain of the memory.
     *
     * @return the protection domain
     */
    public ProtectionDomain pd() {
        return pd;
    }

    /**
     * The size of each buffer.
     *
     * @return bytes
     */
    public int bufferBytes() {
        return bufferBytes;
    }

    /**
     * How many buffers can be taken now without waiting.
     *
     * @return the number at this moment
     */
    public int available() {
        return available.availablePermits();
    }

    /**
     * Takes a buffer, and parks until there is one. Its contents are undefined.
     *
     * @return the buffer, to be closed
     * @throws InterruptedException if the thread was interrupted before or while it waited
     * @throws ClosedException if the pool is closed
     * @throws VerbsException if memory for it cannot be registered
     */
    public Buffer take() throws InterruptedException {
        ensureOpen();
        acquire(Long.MAX_VALUE);
        return lend();
    }

    /**
     * Takes a buffer, and parks until there is one, for at most {@code timeout}.
     *
     * @param timeout how long to wait; zero not to wait
     * @return the buffer, to be closed; null if there was none in time
     * @throws InterruptedException if the thread was interrupted before or while it waited
     * @throws IllegalArgumentException if the timeout is negative
     * @throws ClosedException if the pool is closed
     * @throws VerbsException if memory for it cannot be registered
     */
    public @Nullable Buffer take(Duration timeout) throws InterruptedException {
        long nanos = Check.nanos("timeout", timeout);
        ensureOpen();
        return acquire(nanos) ? lend() : null;
    }

    private boolean acquire(long nanos) throws InterruptedException {
        if (available.tryAcquire(0, TimeUnit.NANOSECONDS)) {
            return true;
        }
        if (nanos <= 0) {
            return false;
        }
        Parked me = Parked.of(awaited);
        waiters.add(me);
        try {
            if (nanos == Long.MAX_VALUE) {
                available.acquire();
                return true;
            }
            return available.tryAcquire(nanos, TimeUnit.NANOSECONDS);
        } finally {
            waiters.remove(me);
        }
    }

    private List<WaitStats> waits() {
        List<WaitStats> all = new ArrayList<>();
        for (Parked w : waiters.all()) {
            WaitStats wait = w.stats("");
            if (wait != null) {
                all.add(wait);
            }
        }
        return all;
    }

    /**
     * Takes a buffer if there is one. Never waits, though memory may have to be registered.
     *
     * @return the buffer, to be closed; null if there is none
     * @throws ClosedException if the pool is closed
     * @throws VerbsException if memory for it cannot be registered
     */
    public @Nullable Buffer tryTake() {
        ensureOpen();
        return available.tryAcquire() ? lend() : null;
    }

    /** With a permit, which goes back if there is no buffer after all. */
    private Buffer lend() {
        int index = -1;
        boolean done = false;
        try {
            index = free.pop();
            if (index < 0) {
                index = another();
            }
            MemoryRegion slab = slab(index / perSlab);
            PoolLoan loan = new PoolLoan(index, traced);
            lent.set(index, loan);
            Buffer buffer =
                    new Buffer(slab, (long) index % perSlab * stride, bufferBytes, loan, true);
            ensureOpen();
            done = true;
            return buffer;
        } finally {
            if (!done) {
                if (index >= 0) {
                    lent.set(index, null);
                    free.push(index);
                }
                available.release();
            }
        }
    }

    /** With a permit and nothing free, there is one that was never lent. */
    private synchronized int another() {
        int index = free.pop();
        return index >= 0 ? index : made++;
    }

    private MemoryRegion slab(int number) {
        MemoryRegion slab = slabs.get(number);
        return slab == null ? register(number) : slab;
    }

    private synchronized MemoryRegion register(int number) {
        MemoryRegion slab = slabs.get(number);
        if (slab == null) {
            ensureOpen();
            int inSlab = Math.min(perSlab, buffers - number * perSlab);
            slab = pd.allocateMr((long) inSlab * stride, access);
            slabs.set(number, slab);
        }
        return slab;
    }

    /** One buffer, lent. */
    final class PoolLoan extends Loan {
        private final int index;
        private final Thread by = Thread.currentThread();
        private final @Nullable Throwable where;

        PoolLoan(int index, boolean traced) {
            this.index = index;
            this.where = traced ? new Throwable() : null;
        }

        @Override
        void giveBack() {
            lent.set(index, null);
            free.push(index);
            available.release();
        }

        @Override
        public String toString() {
            String name = by.getName().isEmpty() ? "#" + by.threadId() : by.getName();
            return "buffer "
                    + index
                    + ", taken by thread "
                    + name
                    + (isClosed() ? ", closed and still used by a request" : "")
                    + (where == null ? "" : " at " + List.of(where.getStackTrace()));
        }
    }

    private void ensureOpen() {
        if (closed) {
            throw new ClosedException(this);
        }
    }

    /**
     * Frees the memory. Every buffer must have been given back, those of {@link Requests} by
     * closing them. Closing again frees only memory that the device has refused to deregister.
     *
     * @throws IllegalStateException if buffers are lent; the message names the threads that took
     *     them, and where if the pool is {@linkplain #traced traced}. Nothing has changed then
     * @throws VerbsException if the device refuses to deregister a slab. The others are free, and
     *     the pool is closed: close it again to try again
     */
    @Override
    public synchronized void close() {
        if (!closed) {
            if (!available.tryAcquire(buffers)) {
                throw new IllegalStateException(this + " is not closed: " + notGivenBack());
            }
            closed = true;
            available.release(buffers); // those that come now find it closed
        }
        VerbsException refusal = null;
        for (int i = 0; i < slabs.length(); i++) {
            MemoryRegion slab = slabs.get(i);
            if (slab != null) {
                try {
                    slab.close();
                } catch (VerbsException e) {
                    refusal = e;
                }
            }
        }
        if (refusal != null) {
            throw refusal;
        }
    }

    private String notGivenBack() {
        StringBuilder text = new StringBuilder("not given back:");
        int named = 0;
        for (int i = 0; i < buffers; i++) {
            PoolLoan loan = lent.get(i);
            if (loan != null) {
                if (named == 10) {
                    return text.append(" and more").toString();
                }
                text.append(named++ == 0 ? " " : "; ").append(loan);
            }
        }
        return text.toString();
    }

    /** The number and size of the buffers. */
    @Override
    public String toString() {
        return "pool[" + buffers + " buffers of " + bufferBytes + " bytes of " + pd + "]";
    }
}
