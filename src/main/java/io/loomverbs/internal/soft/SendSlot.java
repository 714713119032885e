package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SendWr;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/** A send request in the queue: a copy of what was posted, in memory that is used again. */
final class SendSlot {
    private static final MemorySegment EMPTY = MemorySegment.ofArray(new byte[0]);
    private static final int FIRST_SCRATCH_BYTES = 64;

    long wrId;
    int opcode;
    int flags;

    /** Or the key to invalidate. */
    int immData;

    /** When it is due, if its context delays requests; 0 is at once. */
    long dueNanos;

    /** Bytes of the whole message. */
    long length;

    int numSge;
    long[] sges = Sges.NONE;

    /** The one remote range of an RDMA or atomic operation, in the form of a list. */
    long[] remote = Sges.NONE;

    long compareAdd;
    long swap;
    @Nullable SoftAh ah;
    int remoteQpn;
    int remoteQkey;

    /** Inline data, or the result of an atomic operation. */
    MemorySegment scratch = EMPTY;

    private @Nullable MemorySegment header;

    private @Nullable SoftBind bind;

    boolean inline() {
        return (flags & Ibv.SEND_INLINE) != 0;
    }

    boolean solicited() {
        return (flags & Ibv.SEND_SOLICITED) != 0;
    }

    boolean carriesImm() {
        return opcode == Ibv.WR_SEND_WITH_IMM || opcode == Ibv.WR_RDMA_WRITE_WITH_IMM;
    }

    /** Whether no other queue pair takes part in it. */
    boolean isLocal() {
        return opcode == Ibv.WR_LOCAL_INV || opcode == Ibv.WR_BIND_MW;
    }

    boolean isAtomic() {
        return opcode == Ibv.WR_ATOMIC_CMP_AND_SWP || opcode == Ibv.WR_ATOMIC_FETCH_AND_ADD;
    }

    /** Whether its answer carries data. */
    boolean fetches() {
        return opcode == Ibv.WR_RDMA_READ || isAtomic();
    }

    boolean fenced() {
        return (flags & Ibv.SEND_FENCE) != 0;
    }

    /** The opcode of its completion. */
    int completionOpcode() {
        return switch (opcode) {
            case Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_WRITE_WITH_IMM -> Ibv.WC_RDMA_WRITE;
            case Ibv.WR_RDMA_READ -> Ibv.WC_RDMA_READ;
            case Ibv.WR_ATOMIC_CMP_AND_SWP -> Ibv.WC_COMP_SWAP;
            case Ibv.WR_ATOMIC_FETCH_AND_ADD -> Ibv.WC_FETCH_ADD;
            case Ibv.WR_BIND_MW -> Ibv.WC_BIND_MW;
            case Ibv.WR_LOCAL_INV -> Ibv.WC_LOCAL_INV;
            default -> Ibv.WC_SEND;
        };
    }

    long remoteAddr() {
        return Sges.addr(remote, 0);
    }

    int rkey() {
        return Sges.key(remote, 0);
    }

    /** Of the path of a datagram; 0 for others. */
    int serviceLevel() {
        return ah == null ? 0 : ah.attr.sl();
    }

    /** Bytes for a routing header, allocated when first needed. */
    MemorySegment header() {
        MemorySegment h = header;
        if (h == null) {
            h = MemorySegment.ofArray(new byte[Ibv.GRH_BYTES]);
            header = h;
        }
        return h;
    }

    /** The window and memory that a request binds, allocated when first needed. */
    SoftBind bind() {
        SoftBind b = bind;
        if (b == null) {
            b = new SoftBind();
            bind = b;
        }
        return b;
    }

    MemorySegment scratch(int bytes) {
        if (scratch.byteSize() < bytes) {
            int size = Math.max(FIRST_SCRATCH_BYTES, Integer.highestOneBit(bytes - 1) << 1);
            scratch = MemorySegment.ofArray(new long[size >>> 3]);
        }
        return scratch;
    }

    /** Copies a request that {@link SendRules} has accepted. */
    void fill(SendWr wr) {
        wrId = wr.wrId();
        opcode = wr.opcode();
        flags = wr.sendFlags();
        immData = wr.immData();
        int n = wr.numSge();
        if (inline()) {
            numSge = 0;
            copyInline(wr, n);
        } else {
            numSge = n;
            sges = Sges.ensure(sges, n);
            long total = 0;
            for (int i = 0; i < n; i++) {
                int bytes = wr.sgeLength(i);
                Sges.put(sges, i, wr.sgeAddr(i), bytes, wr.sgeLkey(i));
                total += bytes & 0xffff_ffffL;
            }
            length = total;
        }
        switch (opcode) {
            case Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_WRITE_WITH_IMM, Ibv.WR_RDMA_READ -> {
                remote = Sges.ensure(remote, 1);
                Sges.put(remote, 0, wr.remoteAddr(), (int) length, wr.rdmaRkey());
            }
            case Ibv.WR_ATOMIC_CMP_AND_SWP, Ibv.WR_ATOMIC_FETCH_AND_ADD -> {
                remote = Sges.ensure(remote, 1);
                Sges.put(remote, 0, wr.remoteAddr(), Long.BYTES, wr.atomicRkey());
                compareAdd = wr.compareAdd();
                swap = wr.swap();
            }
            case Ibv.WR_BIND_MW -> bind().fill(wr);
            default -> {}
        }
    }

    void fillUd(SendWr wr, SoftAh ah) {
        fill(wr);
        this.ah = ah;
        remoteQpn = wr.remoteQpn();
        remoteQkey = wr.remoteQkey();
    }

    private void copyInline(SendWr wr, int entries) {
        MemorySegment from = wr.memory();
        int total = 0;
        for (int i = 0; i < entries; i++) {
            total += wr.sgeLength(i);
        }
        MemorySegment to = scratch(total);
        int at = 0;
        for (int i = 0; i < entries; i++) {
            int bytes = wr.sgeLength(i);
            MemorySegment.copy(from, wr.sgeAddr(i) - from.address(), to, at, bytes);
            at += bytes;
        }
        length = total;
    }
}
