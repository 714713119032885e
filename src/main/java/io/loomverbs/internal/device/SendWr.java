package io.loomverbs.internal.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/**
 * {@code struct ibv_send_wr} (128 bytes), its scatter/gather list and its inline data, in one piece
 * of heap memory, so that a request costs no native memory of its own. libibverbs is given a copy;
 * the embedded device reads the same fields. What a C program would keep as pointers (next, address
 * handle) are references, so that what they lead to stays reachable. Not safe for use by several
 * threads at once.
 */
public final class SendWr {
    private static final int BYTES = 128;
    private static final int WR_ID = 0;
    private static final int NEXT = 8;
    private static final int SG_LIST = 16;
    private static final int NUM_SGE = 24;
    private static final int OPCODE = 28;
    private static final int SEND_FLAGS = 32;
    private static final int IMM_DATA = 36;
    private static final int REMOTE_ADDR = 40;
    private static final int RDMA_RKEY = 48;
    private static final int ATOMIC_COMPARE_ADD = 48;
    private static final int ATOMIC_SWAP = 56;
    private static final int ATOMIC_RKEY = 64;
    private static final int UD_AH = 40;
    private static final int UD_REMOTE_QPN = 48;
    private static final int UD_REMOTE_QKEY = 52;
    private static final int BIND_MW = 80;
    private static final int BIND_RKEY = 88;
    private static final int BIND_MR = 96;
    private static final int BIND_ADDR = 104;
    private static final int BIND_LENGTH = 112;
    private static final int BIND_ACCESS = 120;

    private final MemorySegment mem;
    private final int maxSge;
    private final int maxInline;
    private final long inlineAt;

    private @Nullable AhOps ah;
    private @Nullable MwOps mw;
    private @Nullable MrOps mr;
    private @Nullable SendWr next;

    public SendWr(int maxSge, int maxInline) {
        this.maxSge = maxSge;
        this.maxInline = maxInline;
        this.inlineAt = BYTES + (long) Math.max(1, maxSge) * Sge.BYTES;
        this.mem = MemorySegment.ofArray(new long[(int) ((inlineAt + maxInline + 7) >>> 3)]);
    }

    /** Forgets everything but the capacities. */
    public void clear() {
        mem.set(JAVA_LONG, WR_ID, 0);
        mem.set(JAVA_INT, NUM_SGE, 0);
        mem.set(JAVA_INT, OPCODE, 0);
        mem.set(JAVA_INT, SEND_FLAGS, 0);
        mem.set(JAVA_INT, IMM_DATA, 0);
        mem.set(JAVA_LONG, REMOTE_ADDR, 0);
        mem.set(JAVA_LONG, ATOMIC_COMPARE_ADD, 0);
        mem.set(JAVA_LONG, ATOMIC_SWAP, 0);
        mem.set(JAVA_INT, ATOMIC_RKEY, 0);
        ah = null;
        mw = null;
        mr = null;
        next = null;
    }

    public MemorySegment memory() {
        return mem;
    }

    public int maxSge() {
        return maxSge;
    }

    public int maxInline() {
        return maxInline;
    }

    public long wrId() {
        return mem.get(JAVA_LONG, WR_ID);
    }

    public void wrId(long wrId) {
        mem.set(JAVA_LONG, WR_ID, wrId);
    }

    public int opcode() {
        return mem.get(JAVA_INT, OPCODE);
    }

    public void opcode(int opcode) {
        mem.set(JAVA_INT, OPCODE, opcode);
    }

    public int sendFlags() {
        return mem.get(JAVA_INT, SEND_FLAGS);
    }

    public void sendFlags(int flags) {
        mem.set(JAVA_INT, SEND_FLAGS, flags);
    }

    /**
     * In network byte order, as in the structure; or {@code invalidate_rkey}, in that of the host.
     */
    public int immData() {
        return mem.get(JAVA_INT, IMM_DATA);
    }

    public void immData(int immData) {
        mem.set(JAVA_INT, IMM_DATA, immData);
    }

    public int numSge() {
        return mem.get(JAVA_INT, NUM_SGE);
    }

    public void numSge(int numSge) {
        mem.set(JAVA_INT, NUM_SGE, numSge);
    }

    public void sge(int index, long addr, int length, int lkey) {
        Sge.put(mem, BYTES, index, addr, length, lkey);
    }

    public long sgeAddr(int index) {
        return Sge.addr(mem, BYTES, index);
    }

    public int sgeLength(int index) {
        return Sge.length(mem, BYTES, index);
    }

    public int sgeLkey(int index) {
        return Sge.lkey(mem, BYTES, index);
    }

    public long remoteAddr() {
        return mem.get(JAVA_LONG, REMOTE_ADDR);
    }

    public int rdmaRkey() {
        return mem.get(JAVA_INT, RDMA_RKEY);
    }

    /** Takes the place of an address handle. */
    public void rdma(long remoteAddr, int rkey) {
        ah = null;
        mem.set(JAVA_LONG, REMOTE_ADDR, remoteAddr);
        mem.set(JAVA_INT, RDMA_RKEY, rkey);
    }

    public long compareAdd() {
        return mem.get(JAVA_LONG, ATOMIC_COMPARE_ADD);
    }

    public long swap() {
        return mem.get(JAVA_LONG, ATOMIC_SWAP);
    }

    public int atomicRkey() {
        return mem.get(JAVA_INT, ATOMIC_RKEY);
    }

    /** Takes the place of an address handle. */
    public void atomic(long remoteAddr, int rkey, long compareAdd, long swap) {
        ah = null;
        mem.set(JAVA_LONG, REMOTE_ADDR, remoteAddr);
        mem.set(JAVA_LONG, ATOMIC_COMPARE_ADD, compareAdd);
        mem.set(JAVA_LONG, ATOMIC_SWAP, swap);
        mem.set(JAVA_INT, ATOMIC_RKEY, rkey);
    }

    public @Nullable AhOps ah() {
        return ah;
    }

    public int remoteQpn() {
        return mem.get(JAVA_INT, UD_REMOTE_QPN);
    }

    public int remoteQkey() {
        return mem.get(JAVA_INT, UD_REMOTE_QKEY);
    }

    public void ud(AhOps ah, int remoteQpn, int remoteQkey) {
        this.ah = ah;
        mem.set(JAVA_LONG, UD_AH, ah.address());
        mem.set(JAVA_INT, UD_REMOTE_QPN, remoteQpn);
        mem.set(JAVA_INT, UD_REMOTE_QKEY, remoteQkey);
    }

    /** Takes the place of entries, and of inline data: drivers want none. */
    public void bind(MwOps mw, int rkey, MrOps mr, long addr, long length, int access) {
        this.mw = mw;
        this.mr = mr;
        opcode(Ibv.WR_BIND_MW);
        immData(0);
        numSge(0);
        sendFlags(sendFlags() & ~Ibv.SEND_INLINE);
        mem.set(JAVA_LONG, BIND_MW, mw.address());
        mem.set(JAVA_INT, BIND_RKEY, rkey);
        mem.set(JAVA_LONG, BIND_MR, mr.address());
        mem.set(JAVA_LONG, BIND_ADDR, addr);
        mem.set(JAVA_LONG, BIND_LENGTH, length);
        mem.set(JAVA_INT, BIND_ACCESS, access);
    }

    public @Nullable MwOps mw() {
        return mw;
    }

    public int bindRkey() {
        return mem.get(JAVA_INT, BIND_RKEY);
    }

    public @Nullable MrOps mr() {
        return mr;
    }

    public long bindAddr() {
        return mem.get(JAVA_LONG, BIND_ADDR);
    }

    public long bindLength() {
        return mem.get(JAVA_LONG, BIND_LENGTH);
    }

    public int bindAccess() {
        return mem.get(JAVA_INT, BIND_ACCESS);
    }

    public @Nullable SendWr next() {
        return next;
    }

    public void next(@Nullable SendWr next) {
        this.next = next;
    }

    /**
     * Copies inline data into this request's own memory and makes it the one entry of the list,
     * with the flag {@code IBV_SEND_INLINE} set.
     */
    public void inline(MemorySegment source, long offset, int length) {
        MemorySegment.copy(source, offset, mem, inlineAt, length);
        sge(0, mem.address() + inlineAt, length, 0);
        numSge(1);
        sendFlags(sendFlags() | Ibv.SEND_INLINE);
    }

    private boolean isInline() {
        return (sendFlags() & Ibv.SEND_INLINE) != 0;
    }

    /** How many bytes {@link #copyTo} writes, a multiple of 8. */
    public long nativeBytes() {
        int n = numSge();
        long data = isInline() && n > 0 ? (sgeLength(0) + 7L) & -8L : 0;
        return BYTES + (long) n * Sge.BYTES + data;
    }

    /**
     * Writes the request as libibverbs wants it, with pointers to its own list and data.
     *
     * @param at where, a multiple of 8
     * @param next the address of the request behind it in the chain, or 0
     */
    public void copyTo(MemorySegment to, long at, long next) {
        int n = numSge();
        long list = at + BYTES;
        long data = list + (long) n * Sge.BYTES;
        MemorySegment.copy(mem, 0, to, at, data - at);
        to.set(JAVA_LONG, at + NEXT, next);
        to.set(JAVA_LONG, at + SG_LIST, to.address() + list);
        if (isInline() && n > 0) {
            int length = sgeLength(0);
            MemorySegment.copy(mem, inlineAt, to, data, length);
            Sge.put(to, list, 0, to.address() + data, length, 0);
        }
    }

    /** Where in {@link #memory()} the inline data starts. */
    public long inlineAt() {
        return inlineAt;
    }
}
