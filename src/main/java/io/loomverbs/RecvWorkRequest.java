package io.loomverbs;

import io.loomverbs.internal.device.RecvWr;

import org.jspecify.annotations.Nullable;

/**
 * A reusable work request for a receive queue ({@code struct ibv_recv_wr}): the buffer of the next
 * message.
 *
 * <p>{@link #clear} it, describe it, and post it. After the post it can be changed. For one thread
 * at a time.
 *
 * <p>The memory must allow {@link Access#LOCAL_WRITE}. On a UD queue pair its first 40 bytes are
 * reserved for the routing header, even if there is none: the message starts after them.
 *
 * @since 0.1.0
 */
public final class RecvWorkRequest {
    private static final int MAX_SGE = 1024;

    private final RecvWr struct;
    private @Nullable ProtectionDomain pd;
    private @Nullable RecvWorkRequest next;

    private RecvWorkRequest(int maxSge) {
        this.struct = new RecvWr(maxSge);
    }

    /**
     * Makes a request without scatter entries.
     *
     * @param maxSge how many scatter entries it has room for, 1 to 1024
     * @return the request
     * @throws IllegalArgumentException if {@code maxSge} is out of range
     */
    public static RecvWorkRequest allocate(int maxSge) {
        return new RecvWorkRequest(
                Arguments.inRange("maxSge", maxSge, 1, MAX_SGE, "the size of a request"));
    }

    /**
     * Resets the request to number 0, without scatter entries or next request.
     *
     * @return this
     */
    public RecvWorkRequest clear() {
        struct.clear();
        pd = null;
        next = null;
        return this;
    }

    /**
     * Sets the number by which the completion names the request ({@code wr_id}).
     *
     * @param wrId any number
     * @return this
     */
    public RecvWorkRequest wrId(long wrId) {
        struct.wrId(wrId);
        return this;
    }

    /**
     * Adds a whole region as a scatter entry.
     *
     * @param mr the region, of at most 2 GiB - 1
     * @return this
     * @throws IllegalArgumentException if the region is larger, or the request names memory of
     *     another protection domain
     * @throws IllegalStateException if there is no room for another entry
     * @throws ClosedException if the region is closed
     */
    public RecvWorkRequest sge(MemoryRegion mr) {
        return sge(mr, 0, WorkRequestSges.whole(mr));
    }

    /**
     * Adds a part of a region as a scatter entry.
     *
     * @param mr the region
     * @param offset where the part starts, in bytes
     * @param length how long it is, in bytes
     * @return this
     * @throws IllegalArgumentException if the part is not within the region, or the request names
     *     memory of another protection domain
     * @throws IllegalStateException if there is no room for another entry
     * @throws ClosedException if the region is closed
     */
    public RecvWorkRequest sge(MemoryRegion mr, long offset, int length) {
        WorkRequestSges.check(struct.numSge(), struct.maxSge(), mr, offset, length);
        ProtectionDomain common = WorkRequestSges.samePd(pd, mr.pd(), mr);
        sge(mr.address() + offset, length, mr.lkey());
        pd = common;
        return this;
    }

    /**
     * Adds a scatter entry by its raw values, unchecked ({@code struct ibv_sge}). The device checks
     * them when a message arrives.
     *
     * @param addr the address
     * @param length how many bytes, unsigned
     * @param lkey the local key
     * @return this
     * @throws IllegalStateException if there is no room for another entry
     */
    public RecvWorkRequest sge(long addr, int length, int lkey) {
        int used = struct.numSge();
        WorkRequestSges.checkRoom(used, struct.maxSge());
        struct.sge(used, addr, length, lkey);
        struct.numSge(used + 1);
        return this;
    }

    /**
     * Makes a chain: posting this request posts {@code following} after it.
     *
     * @param following the next request, or null to end the chain here
     * @return this
     * @throws IllegalArgumentException if that would make the chain a ring
     */
    public RecvWorkRequest next(@Nullable RecvWorkRequest following) {
        for (RecvWorkRequest r = following; r != null; r = r.next) {
            if (r == this) {
                throw new IllegalArgumentException("following leads back to this request");
            }
        }
        next = following;
        struct.next(following == null ? null : following.struct);
        return this;
    }

    @Nullable RecvWorkRequest next() {
        return next;
    }

    @Nullable ProtectionDomain pd() {
        return pd;
    }

    RecvWr struct() {
        return struct;
    }

    /** Says in what this request exceeds the capacities of a queue; empty if in nothing. */
    String excess(int maxSge) {
        return WorkRequestSges.excess(struct.numSge(), maxSge);
    }

    /** The number and the size of the scatter list. */
    @Override
    public String toString() {
        return "recv[wr_id " + struct.wrId() + ", " + struct.numSge() + " sge]";
    }
}
