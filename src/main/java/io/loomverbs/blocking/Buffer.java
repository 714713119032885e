package io.loomverbs.blocking;

import io.loomverbs.ClosedException;
import io.loomverbs.MemoryRegion;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Objects;

/**
 * A range of registered memory that requests read from or write to: lent by a {@link BufferPool},
 * or a part of the program's own {@link MemoryRegion}.
 *
 * <p>Closing a buffer of a pool gives it back. If a request still uses it, such as one that a
 * thread gave up waiting for, it goes back by itself when that request is done.
 *
 * <p>Any number of threads can use a buffer; they must coordinate their writes to it.
 *
 * @since 0.1.0
 */
public final class Buffer implements AutoCloseable {
    private final MemoryRegion region;
    private final long offset;
    private final int length;
    private final @Nullable Loan loan;

    /** A slice is closed with the buffer that it is a part of. */
    private final boolean whole;

    Buffer(MemoryRegion region, long offset, int length, @Nullable Loan loan, boolean whole) {
        this.region = region;
        this.offset = offset;
        this.length = length;
        this.loan = loan;
        this.whole = whole;
    }

    /**
     * A buffer of a whole region. Closing it does nothing: the region is the program's.
     *
     * @param region the region, of at most 2 GiB - 1
     * @return the buffer
     * @throws IllegalArgumentException if the region is larger
     */
    public static Buffer of(MemoryRegion region) {
        long bytes = Check.notNull(region, "region").length();
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "region has "
                            + bytes
                            + " bytes, but a buffer has at most 2147483647: name a part of it");
        }
        return new Buffer(region, 0, (int) bytes, null, true);
    }

    /**
     * A buffer of a part of a region. Closing it does nothing: the region is the program's.
     *
     * @param region the region
     * @param offset where the part starts, in bytes
     * @param length how long it is, in bytes
     * @return the buffer
     * @throws IllegalArgumentException if the part is not within the region
     */
    public static Buffer of(MemoryRegion region, long offset, int length) {
        Check.part(offset, length, Check.notNull(region, "region").length(), "the region");
        return new Buffer(region, offset, length, null, true);
    }

    /**
     * The region that the buffer is a part of.
     *
     * @return the region
     */
    public MemoryRegion region() {
        return region;
    }

    /**
     * Where the buffer starts in its region.
     *
     * @return bytes
     */
    public long offset() {
        return offset;
    }

    /**
     * The size of the buffer.
     *
     * @return bytes
     */
    public int length() {
        return length;
    }

    /**
     * The memory itself.
     *
     * @return a slice of the region's memory; do not use it after the buffer was closed: it may be
     *     lent to another thread by then
     * @throws ClosedException if the buffer was closed
     */
    public MemorySegment memory() {
        ensureOpen();
        return region.memory().asSlice(offset, length);
    }

    /**
     * A part of this buffer, such as the bytes of one message. It is closed with this buffer;
     * closing it does nothing.
     *
     * @param from where the part starts, in bytes
     * @param bytes how long it is
     * @return the part
     * @throws IllegalArgumentException if the part is not within the buffer
     * @throws ClosedException if the buffer was closed
     */
    public Buffer slice(long from, int bytes) {
        ensureOpen();
        Check.part(from, bytes, length, "the buffer");
        return new Buffer(region, offset + from, bytes, loan, false);
    }

    /**
     * What a peer must know to access this memory, as far as the region's access allows it.
     *
     * @return the address, the key and the length
     */
    public RemoteRegion remote() {
        return new RemoteRegion(region.address() + offset, region.rkey(), length);
    }

    /**
     * Gives the buffer back to its pool, at once or when the last request that uses it is done.
     * Closing again does nothing, nor does closing a slice or a part of a region.
     */
    @Override
    public void close() {
        if (whole && loan != null) {
            loan.close();
        }
    }

    private void ensureOpen() {
        if (loan != null && loan.isClosed()) {
            throw new ClosedException(this);
        }
    }

    /** Describes this memory in a request that will use it until the request is done. */
    void describe(Request r, Attachment by) {
        describe(r, by, length);
    }

    /** Describes the first bytes of this memory. */
    void describe(Request r, Attachment by, int bytes) {
        if (region.pd() != by.queuePair().pd()) {
            throw new IllegalArgumentException(
                    "buffer is of "
                            + region.pd()
                            + ", but "
                            + by.queuePair()
                            + " is of "
                            + by.queuePair().pd());
        }
        SendWorkRequest wr = r.wr;
        wr.sge(region, offset, bytes);
        r.bytes = bytes;
        if (loan != null) {
            if (!loan.use(by)) {
                throw new ClosedException(this);
            }
            r.uses(loan);
        }
    }

    RecvWorkRequest describe(RecvWorkRequest wr) {
        return wr.sge(region, offset, length);
    }

    /** The region and the range. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "buffer[%d bytes at %d of %s]",
                length,
                offset,
                Objects.toString(region));
    }
}
