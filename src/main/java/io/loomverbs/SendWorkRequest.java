package io.loomverbs;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.SendWr;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/**
 * A reusable work request for a send queue ({@code struct ibv_send_wr}).
 *
 * <p>{@link #clear} it, choose an operation ({@link #send}, {@link #rdmaWrite}, {@link #rdmaRead},
 * ...), name the local memory ({@link #sge(MemoryRegion, long, int)} or {@link
 * #inline(MemorySegment)}), and post it. After the post it can be changed. For one thread at a
 * time.
 *
 * <pre>{@code
 * SendWorkRequest wr = SendWorkRequest.allocate(1, 0);
 * qp.postSend(wr.clear().wrId(7).send().sge(mr, 0, 64).signaled());
 * }</pre>
 *
 * @since 0.1.0
 */
public final class SendWorkRequest {
    private static final int MAX_SGE = 1024;
    private static final int MAX_INLINE = 1 << 16;

    private final SendWr struct;
    private @Nullable ProtectionDomain pd;
    private @Nullable SendWorkRequest next;

    private SendWorkRequest(int maxSge, int maxInline) {
        this.struct = new SendWr(maxSge, maxInline);
        clear();
    }

    /**
     * Makes an unsignaled SEND without data.
     *
     * @param maxSge how many scatter/gather entries it has room for, 1 to 1024
     * @param maxInline how many bytes of inline data it has room for, 0 to 65536
     * @return the request
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static SendWorkRequest allocate(int maxSge, int maxInline) {
        Arguments.inRange("maxSge", maxSge, 1, MAX_SGE, "the size of a request");
        Arguments.inRange("maxInline", maxInline, 0, MAX_INLINE, "the size of a request");
        return new SendWorkRequest(maxSge, maxInline);
    }

    /**
     * Resets the request to an unsignaled SEND with number 0, without data, address or next
     * request.
     *
     * @return this
     */
    public SendWorkRequest clear() {
        struct.clear();
        struct.opcode(Ibv.WR_SEND);
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
    public SendWorkRequest wrId(long wrId) {
        struct.wrId(wrId);
        return this;
    }

    /**
     * Sends a message to the next receive request of the peer ({@code IBV_WR_SEND}). On a UD queue
     * pair it needs an address as well: {@link #to}.
     *
     * @return this
     */
    public SendWorkRequest send() {
        struct.opcode(Ibv.WR_SEND);
        return this;
    }

    /**
     * Sends a message with an immediate ({@code IBV_WR_SEND_WITH_IMM}).
     *
     * @param immData what the receiver's completion shows; converted to network byte order
     * @return this
     */
    public SendWorkRequest sendWithImm(int immData) {
        struct.opcode(Ibv.WR_SEND_WITH_IMM);
        struct.immData(WorkCompletions.networkOrder(immData));
        return this;
    }

    /**
     * Sends a message that invalidates a key of the peer, if it can take it ({@code
     * IBV_WR_SEND_WITH_INV}; RC, and UC on some devices): that of a window of {@link MwType#TYPE_2}
     * which is bound to the peer's queue pair. No access by that key follows the peer's completion.
     * A key that may not be invalidated fails the peer's receive and queue pair.
     *
     * @param rkey the key, as the peer gave it
     * @return this
     */
    public SendWorkRequest sendWithInv(int rkey) {
        struct.opcode(Ibv.WR_SEND_WITH_INV);
        struct.immData(rkey);
        return this;
    }

    /**
     * Invalidates the key of a window of {@link MwType#TYPE_2} that is bound to this queue pair
     * ({@code IBV_WR_LOCAL_INV}; RC and UC). No peer accesses memory by it once the request has
     * completed, and the window can be bound again. Needs no scatter/gather entry.
     *
     * @param rkey the window's key
     * @return this
     */
    public SendWorkRequest localInv(int rkey) {
        struct.opcode(Ibv.WR_LOCAL_INV);
        struct.immData(rkey);
        return this;
    }

    /**
     * Binds a window of {@link MwType#TYPE_2} to a part of a region, for the peer of this queue
     * pair ({@code IBV_WR_BIND_MW}; RC and UC). With the post, {@code rkey} becomes the window's
     * key. The window must not be bound; if the device refuses it, the request ends with {@link
     * WcStatus#MW_BIND_ERR}. Takes the place of scatter/gather entries.
     *
     * @param mw the window; keep it and the region open until the request has completed
     * @param rkey its new key: such as {@link MemoryWindow#incRkey} of its present one. Only the
     *     lowest 8 bits may differ
     * @param mr the region, registered with {@link Access#MW_BIND}
     * @param offset where the part starts, in bytes
     * @param length how long it is, at least 1 byte
     * @param access what the peer may do: {@code REMOTE_READ}, {@code REMOTE_WRITE}, {@code
     *     REMOTE_ATOMIC}; the latter two need a region with {@code LOCAL_WRITE}. With {@code
     *     ZERO_BASED}, the peer addresses the part from 0 on, not from its address
     * @return this
     * @throws IllegalArgumentException if the window is of type 1 or of another protection domain
     *     than the region, {@code rkey} is of another window, the part is not within the region, or
     *     a window cannot have the access
     * @throws ClosedException if the window or the region is closed
     */
    public SendWorkRequest bindMw(
            MemoryWindow mw,
            int rkey,
            MemoryRegion mr,
            long offset,
            long length,
            Access... access) {
        Arguments.notNull(mr, "mr");
        int flags = Access.flags(access);
        Arguments.notNull(mw, "mw").checkType(MwType.TYPE_2);
        mw.checkRkey(rkey);
        return bind(mw, rkey, mr, offset, length, 1, flags);
    }

    SendWorkRequest bind(
            MemoryWindow mw,
            int rkey,
            MemoryRegion mr,
            long offset,
            long length,
            int leastLength,
            int flags) {
        Access.checkOfMw(flags);
        Arguments.inRange("offset", offset, 0, mr.length(), "the length of " + mr);
        long left = mr.length() - offset;
        Arguments.inRange("length", length, leastLength, left, "what is left of " + mr);
        ProtectionDomain common = WorkRequestSges.samePd(mw.pd(), mr.pd(), mr);
        struct.bind(mw.ops(), rkey, mr.ops(), mr.address() + offset, length, flags);
        mw.toBeBoundTo(mr.ops());
        pd = common;
        return this;
    }

    /**
     * Writes to memory of the peer ({@code IBV_WR_RDMA_WRITE}; RC and UC). The peer is not
     * notified: it gets no completion.
     *
     * @param remoteAddr the address there
     * @param rkey the remote key of the region there
     * @return this
     */
    public SendWorkRequest rdmaWrite(long remoteAddr, int rkey) {
        struct.opcode(Ibv.WR_RDMA_WRITE);
        struct.rdma(remoteAddr, rkey);
        return this;
    }

    /**
     * Writes to memory of the peer and consumes a receive request there, which notifies the peer
     * ({@code IBV_WR_RDMA_WRITE_WITH_IMM}; RC and UC).
     *
     * @param remoteAddr the address there
     * @param rkey the remote key of the region there
     * @param immData what the receiver's completion shows; converted to network byte order
     * @return this
     */
    public SendWorkRequest rdmaWriteWithImm(long remoteAddr, int rkey, int immData) {
        struct.opcode(Ibv.WR_RDMA_WRITE_WITH_IMM);
        struct.rdma(remoteAddr, rkey);
        struct.immData(WorkCompletions.networkOrder(immData));
        return this;
    }

    /**
     * Reads memory of the peer ({@code IBV_WR_RDMA_READ}; RC). The local memory must allow {@link
     * Access#LOCAL_WRITE}, and on a device of iWARP {@link Access#REMOTE_WRITE} as well.
     *
     * @param remoteAddr the address there
     * @param rkey the remote key of the region there
     * @return this
     */
    public SendWorkRequest rdmaRead(long remoteAddr, int rkey) {
        struct.opcode(Ibv.WR_RDMA_READ);
        struct.rdma(remoteAddr, rkey);
        return this;
    }

    /**
     * Atomically sets the peer's 8-byte value to {@code swap} if it equals {@code compare} ({@code
     * IBV_WR_ATOMIC_CMP_AND_SWP}; RC). The previous value is written to 8 bytes of local memory,
     * which must allow {@link Access#LOCAL_WRITE}.
     *
     * @param remoteAddr the address there, a multiple of 8
     * @param rkey the remote key of the region there
     * @param compare the expected value
     * @param swap the new value
     * @return this
     */
    public SendWorkRequest compareAndSwap(long remoteAddr, int rkey, long compare, long swap) {
        struct.opcode(Ibv.WR_ATOMIC_CMP_AND_SWP);
        struct.atomic(remoteAddr, rkey, compare, swap);
        return this;
    }

    /**
     * Atomically adds to the peer's 8-byte value ({@code IBV_WR_ATOMIC_FETCH_AND_ADD}; RC). The
     * previous value is written to 8 bytes of local memory, which must allow {@link
     * Access#LOCAL_WRITE}.
     *
     * @param remoteAddr the address there, a multiple of 8
     * @param rkey the remote key of the region there
     * @param add the number to add
     * @return this
     */
    public SendWorkRequest fetchAndAdd(long remoteAddr, int rkey, long add) {
        struct.opcode(Ibv.WR_ATOMIC_FETCH_AND_ADD);
        struct.atomic(remoteAddr, rkey, add, 0);
        return this;
    }

    /**
     * Addresses a message of a UD queue pair ({@code wr.ud}). Call it after choosing the operation:
     * all operations but the SENDs drop the address.
     *
     * @param ah the peer's address; keep it open until the request has completed
     * @param remoteQpn the number of the peer's queue pair, 24 bits
     * @param remoteQkey the key that the peer expects; if its highest bit is set, the sending queue
     *     pair's own key is used
     * @return this
     * @throws IllegalArgumentException if {@code remoteQpn} does not fit, or the request names
     *     memory of another protection domain
     * @throws ClosedException if the address handle is closed
     */
    public SendWorkRequest to(AddressHandle ah, int remoteQpn, int remoteQkey) {
        Arguments.notNull(ah, "ah");
        Arguments.inRange("remoteQpn", remoteQpn, 0, 0xffffff, "24 bits");
        ProtectionDomain common = WorkRequestSges.samePd(pd, ah.pd(), ah);
        struct.ud(ah.ops(), remoteQpn, remoteQkey);
        pd = common;
        return this;
    }

    /**
     * Adds a whole region as a scatter/gather entry.
     *
     * @param mr the region, of at most 2 GiB - 1
     * @return this
     * @throws IllegalArgumentException if the region is larger, or the request names memory of
     *     another protection domain
     * @throws IllegalStateException if there is no room for another entry, or the data is inline
     * @throws ClosedException if the region is closed
     */
    public SendWorkRequest sge(MemoryRegion mr) {
        return sge(mr, 0, WorkRequestSges.whole(mr));
    }

    /**
     * Adds a part of a region as a scatter/gather entry.
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
    public SendWorkRequest sge(MemoryRegion mr, long offset, int length) {
        WorkRequestSges.check(struct.numSge(), struct.maxSge(), mr, offset, length);
        ProtectionDomain common = WorkRequestSges.samePd(pd, mr.pd(), mr);
        sge(mr.address() + offset, length, mr.lkey());
        pd = common;
        return this;
    }

    /**
     * Adds a scatter/gather entry by its raw values, unchecked ({@code struct ibv_sge}). The device
     * checks them when it executes the request.
     *
     * @param addr the address
     * @param length how many bytes, unsigned
     * @param lkey the local key
     * @return this
     * @throws IllegalStateException if there is no room for another entry, or the data is inline
     */
    public SendWorkRequest sge(long addr, int length, int lkey) {
        if ((struct.sendFlags() & Ibv.SEND_INLINE) != 0) {
            throw new IllegalStateException("the request carries inline data already");
        }
        int used = struct.numSge();
        WorkRequestSges.checkRoom(used, struct.maxSge());
        struct.sge(used, addr, length, lkey);
        struct.numSge(used + 1);
        return this;
    }

    /**
     * Copies {@code data} into the request now, instead of naming memory ({@code IBV_SEND_INLINE}).
     * The data needs no registration, can be on the heap, and can be reused at once. For SEND and
     * RDMA WRITE; the queue pair must have been created for that much ({@link
     * QpConfig#maxInlineData}), which is checked when the request is posted.
     *
     * @param data what to send; no more than there is room for
     * @return this
     * @throws IllegalArgumentException if there is too much data, or it was freed or is confined to
     *     another thread
     * @throws IllegalStateException if the request has scatter/gather entries, or inline data
     *     already
     */
    public SendWorkRequest inline(MemorySegment data) {
        Arguments.notNull(data, "data");
        Arguments.inRange(
                "data.byteSize()",
                data.byteSize(),
                0,
                struct.maxInline(),
                "the room for inline data in the request");
        if (struct.numSge() != 0) {
            throw new IllegalStateException(
                    "the request has " + struct.numSge() + " scatter/gather entries already");
        }
        if (!data.scope().isAlive()) {
            throw new IllegalArgumentException(
                    "data (" + data.byteSize() + " bytes) was freed: its arena is closed");
        }
        if (!data.isAccessibleBy(Thread.currentThread())) {
            throw new IllegalArgumentException(
                    "data (" + data.byteSize() + " bytes) is confined to another thread");
        }
        struct.inline(data, 0, (int) data.byteSize());
        return this;
    }

    /**
     * Asks for a completion ({@code IBV_SEND_SIGNALED}). Without it the request has a completion
     * only if it fails or is flushed, or if the queue pair signals all requests.
     *
     * <p>A completion means that all earlier requests of its send queue are done, too. An
     * unsignaled request occupies its slot in the queue, and needs its memory, until the completion
     * of a later signaled request was polled. If no request is ever signaled, the queue of a real
     * device stays full. ({@code soft0} frees the slot as soon as the request is done.)
     *
     * @return this
     */
    public SendWorkRequest signaled() {
        return flag(Ibv.SEND_SIGNALED);
    }

    /**
     * Marks the message as solicited ({@code IBV_SEND_SOLICITED}): the receiver's completion also
     * wakes a receiver that armed for solicited completions only. For SEND and RDMA WRITE with
     * immediate.
     *
     * @return this
     */
    public SendWorkRequest solicited() {
        return flag(Ibv.SEND_SOLICITED);
    }

    /**
     * Delays this request until earlier READs and atomics of the send queue are done ({@code
     * IBV_SEND_FENCE}; RC): their results are then in the local memory that it sends.
     *
     * @return this
     */
    public SendWorkRequest fence() {
        return flag(Ibv.SEND_FENCE);
    }

    private SendWorkRequest flag(int flag) {
        struct.sendFlags(struct.sendFlags() | flag);
        return this;
    }

    /**
     * Makes a chain: posting this request posts {@code following} after it.
     *
     * @param following the next request, or null to end the chain here
     * @return this
     * @throws IllegalArgumentException if that would make the chain a ring
     */
    public SendWorkRequest next(@Nullable SendWorkRequest following) {
        for (SendWorkRequest r = following; r != null; r = r.next) {
            if (r == this) {
                throw new IllegalArgumentException("following leads back to this request");
            }
        }
        next = following;
        struct.next(following == null ? null : following.struct);
        return this;
    }

    @Nullable SendWorkRequest next() {
        return next;
    }

    @Nullable ProtectionDomain pd() {
        return pd;
    }

    SendWr struct() {
        return struct;
    }

    /** Says in what this request exceeds the capacities of a queue pair; empty if in nothing. */
    String excess(QpCap cap) {
        if ((struct.sendFlags() & Ibv.SEND_INLINE) == 0) {
            return WorkRequestSges.excess(struct.numSge(), cap.maxSendSge());
        }
        int bytes = struct.sgeLength(0);
        return bytes <= cap.maxInlineData()
                ? ""
                : bytes + " bytes of inline data, but was granted " + cap.maxInlineData();
    }

    /** The number, the operation's value and the size of the scatter/gather list. */
    @Override
    public String toString() {
        return "send[wr_id "
                + struct.wrId()
                + ", opcode "
                + struct.opcode()
                + ", "
                + struct.numSge()
                + " sge]";
    }
}
