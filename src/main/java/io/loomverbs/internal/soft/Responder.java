package io.loomverbs.internal.soft;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.Ibv;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Executes a request that has reached a queue pair, IBA 9.6 to 9.9. Every method is called under
 * the lock of the {@link RecvQueue} of {@code to}, and returns the status that the sender sees.
 *
 * <p>The checks come in the order in which soft-RoCE makes them: whether the operation is allowed
 * at all; whether its receive buffer or the place for its answer is there; whether its packets have
 * the right size; whether key and bounds of the remote range are right; and then those that need
 * its execution.
 */
final class Responder {
    private static final VarHandle LONG = JAVA_LONG.varHandle();

    private Responder() {}

    static int send(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        RecvSlot buffer = to.rq.peekOrRemember(from.sq);
        if (buffer == null) {
            return Transport.RNR_NAK - to.attr.minRnrTimer;
        }
        if (to.cannotTakePacketsOf(from, wr)) {
            return refuse(to, after);
        }
        if (wr.length > buffer.capacity) {
            to.receiveFailed(buffer, Ibv.WC_LOC_LEN_ERR, after);
            return Ibv.WC_REM_INV_REQ_ERR;
        }
        int status = deliver(from, wr, to, buffer, 0, after);
        return status == Ibv.WC_SUCCESS ? arrived(wr, to, buffer, after) : status;
    }

    /**
     * A message of a connected peer is in its buffer. One that invalidates a key which may not be
     * is a fault of class J, IBA 9.9.3: the receiver fails, and the sender does not learn of it.
     */
    static int arrived(SendSlot wr, SoftQp to, RecvSlot buffer, DeferredNotifications after) {
        if (wr.opcode == Ibv.WR_SEND_WITH_INV && !SoftMw.invalidate(to, wr.immData)) {
            to.receiveFailed(buffer, Ibv.WC_REM_INV_REQ_ERR, after);
        } else {
            received(wr, to, buffer, wr.length, 0, 0, 0, after);
        }
        return Ibv.WC_SUCCESS;
    }

    /*
     * The receive buffer of a WRITE with immediate belongs to its last packet: if there are more,
     * the first of them was checked before.
     */
    static int write(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        if (!to.allows(Ibv.ACCESS_REMOTE_WRITE)) {
            return refuse(to, after);
        }
        boolean imm = wr.carriesImm();
        boolean bufferFirst = imm && from.packetsOf(wr) == 1;
        if (bufferFirst && to.rq.peekOrRemember(from.sq) == null) {
            return Transport.RNR_NAK - to.attr.minRnrTimer;
        }
        if (to.cannotTakePacketsOf(from, wr)) {
            return refuse(to, after);
        }
        if (!SgCopy.usable(to, wr.remote, 1, Ibv.ACCESS_REMOTE_WRITE)) {
            return denyAccess(to, after);
        }
        RecvSlot buffer = imm ? to.rq.peekOrRemember(from.sq) : null;
        if (imm && buffer == null) {
            return Transport.RNR_NAK - to.attr.minRnrTimer;
        }
        int copied = copyIn(from, wr, to);
        if (copied != SgCopy.DONE) {
            return copied == SgCopy.SOURCE_FAULT ? Ibv.WC_LOC_PROT_ERR : denyAccess(to, after);
        }
        if (buffer != null) {
            received(wr, to, buffer, wr.length, 0, 0, 0, after);
        }
        return Ibv.WC_SUCCESS;
    }

    static int read(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        if (!to.allows(Ibv.ACCESS_REMOTE_READ) || lacksResources(from, to)) {
            return refuse(to, after);
        }
        return respond(from, wr, to, after);
    }

    /** Reads for the first time, or once more. */
    static int respond(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        if (!SgCopy.usable(to, wr.remote, 1, Ibv.ACCESS_REMOTE_READ)) {
            return denyAccess(to, after);
        }
        if (from.cannotTakePacketsOf(to, wr)) {
            return Ibv.WC_BAD_RESP_ERR;
        }
        int copied =
                SgCopy.copy(
                        to,
                        wr.remote,
                        1,
                        Ibv.ACCESS_REMOTE_READ,
                        from.pd,
                        wr.sges,
                        wr.numSge,
                        Ibv.ACCESS_LOCAL_WRITE,
                        0,
                        wr.length);
        return switch (copied) {
            case SgCopy.DONE -> Ibv.WC_SUCCESS;
            case SgCopy.SOURCE_FAULT -> denyAccess(to, after);
            default -> Ibv.WC_LOC_PROT_ERR;
        };
    }

    private static boolean lacksResources(SoftQp from, SoftQp to) {
        return from.sq.fetchesUnderWay() > to.attr.maxDestRdAtomic;
    }

    static int atomic(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        long addr = wr.remoteAddr();
        if (!to.allows(Ibv.ACCESS_REMOTE_ATOMIC) || lacksResources(from, to)) {
            return refuse(to, after);
        }
        MemorySegment result = wr.scratch(Long.BYTES); // first: memory may run out
        KeyedMemory mr = to.find(wr.rkey());
        if (mr == null || !mr.grants(Ibv.ACCESS_REMOTE_ATOMIC, addr, Long.BYTES) || !mr.acquire()) {
            return denyAccess(to, after);
        }
        try {
            if ((mr.memory.address() + mr.offset(addr) & Long.BYTES - 1) != 0) {
                return refuse(to, after);
            }
            // First of all: the JVM itself ends if it is an atomic access that hits a missing page.
            if (!FileMapping.isReadable(mr.memory, mr.offset(addr), Long.BYTES)) {
                return denyAccess(to, after);
            }
            long before =
                    wr.opcode == Ibv.WR_ATOMIC_FETCH_AND_ADD
                            ? (long) LONG.getAndAdd(mr.memory, mr.offset(addr), wr.compareAdd)
                            : (long)
                                    LONG.compareAndExchange(
                                            mr.memory, mr.offset(addr), wr.compareAdd, wr.swap);
            result.set(JAVA_LONG, 0, before);
            FileMapping.settle(mr.memory);
        } catch (IllegalStateException | InternalError closedOrShortened) {
            return denyAccess(to, after);
        } finally {
            mr.release();
        }
        return returnResult(from, wr);
    }

    /** Gives the requester the result of an atomic, from the scratch memory of its slot. */
    static int returnResult(SoftQp from, SendSlot wr) {
        int copied =
                SgCopy.scatter(
                        wr.scratch,
                        0,
                        from.pd,
                        wr.sges,
                        wr.numSge,
                        Ibv.ACCESS_LOCAL_WRITE,
                        0,
                        Long.BYTES);
        return copied == SgCopy.DONE ? Ibv.WC_SUCCESS : Ibv.WC_LOC_PROT_ERR;
    }

    /** Copies a message into the remote range that it names; a result of {@link SgCopy}. */
    static int copyIn(SoftQp from, SendSlot wr, SoftQp to) {
        return copyOut(from, wr, to, wr.remote, 1, Ibv.ACCESS_REMOTE_WRITE, 0);
    }

    /**
     * Copies a message into a receive buffer; takes a receiver whose buffer is bad out of service.
     */
    static int deliver(
            SoftQp from,
            SendSlot wr,
            SoftQp to,
            RecvSlot buffer,
            int skip,
            DeferredNotifications after) {
        int copied =
                copyOut(
                        from,
                        wr,
                        to.receivePd(),
                        buffer.sges,
                        buffer.numSge,
                        Ibv.ACCESS_LOCAL_WRITE,
                        skip);
        return switch (copied) {
            case SgCopy.DONE -> Ibv.WC_SUCCESS;
            case SgCopy.SOURCE_FAULT -> Ibv.WC_LOC_PROT_ERR;
            default -> badBuffer(to, buffer, after);
        };
    }

    /**
     * Drops an unreliable message that is too long for its receive buffer. One that was taken from
     * a shared queue is used up, and its queue pair fails: if it were given back, it would stop the
     * messages of the others.
     */
    static void dropTooLong(SoftQp to, RecvSlot buffer, DeferredNotifications after) {
        if (to.srq != null) {
            to.receiveFailed(buffer, Ibv.WC_LOC_LEN_ERR, after);
        }
    }

    /** Copies a routing header into the first bytes of a receive buffer. */
    static int deliverHeader(
            MemorySegment header, SoftQp to, RecvSlot buffer, DeferredNotifications after) {
        int copied =
                SgCopy.scatter(
                        header,
                        0,
                        to.receivePd(),
                        buffer.sges,
                        buffer.numSge,
                        Ibv.ACCESS_LOCAL_WRITE,
                        0,
                        header.byteSize());
        return copied == SgCopy.DONE ? Ibv.WC_SUCCESS : badBuffer(to, buffer, after);
    }

    /** Uses up a receive buffer for a message that has arrived whole. */
    static void received(
            SendSlot wr,
            SoftQp to,
            RecvSlot buffer,
            long byteLen,
            int flags,
            int srcQp,
            int slid,
            DeferredNotifications after) {
        long wrId = buffer.wrId;
        boolean imm = wr.carriesImm();
        int opcode =
                wr.opcode == Ibv.WR_RDMA_WRITE_WITH_IMM ? Ibv.WC_RECV_RDMA_WITH_IMM : Ibv.WC_RECV;
        SoftWc wc = after.completion();
        wc.set(to.qpNum(), wrId, Ibv.WC_SUCCESS, opcode, (int) byteLen);
        boolean inv = wr.opcode == Ibv.WR_SEND_WITH_INV;
        wc.immData = imm || inv ? wr.immData : 0;
        wc.srcQp = srcQp;
        wc.wcFlags = flags | (imm ? Ibv.WC_WITH_IMM : inv ? Ibv.WC_WITH_INV : 0);
        wc.slid = slid;
        wc.sl = wr.serviceLevel();
        wc.solicited = wr.solicited();
        wc.polled = to.rq.whenPolled();
        try {
            to.rq.advance(after); // after what takes memory, and before a thread learns of it
        } finally {
            after.added(to.recvCq, to.recvCq.add(wc));
        }
    }

    private static int copyOut(
            SoftQp from, SendSlot wr, Keys to, long[] target, int entries, int access, int skip) {
        if (wr.inline()) {
            return SgCopy.scatter(wr.scratch, 0, to, target, entries, access, skip, wr.length);
        }
        return SgCopy.copy(
                from.pd, wr.sges, wr.numSge, 0, to, target, entries, access, skip, wr.length);
    }

    private static int badBuffer(SoftQp to, RecvSlot buffer, DeferredNotifications after) {
        to.receiveFailed(buffer, Ibv.WC_LOC_PROT_ERR, after);
        return Ibv.WC_REM_OP_ERR;
    }

    static int refuse(SoftQp to, DeferredNotifications after) {
        to.enterError(Ibv.EVENT_QP_REQ_ERR, after);
        return Ibv.WC_REM_INV_REQ_ERR;
    }

    private static int denyAccess(SoftQp to, DeferredNotifications after) {
        to.enterError(Ibv.EVENT_QP_ACCESS_ERR, after);
        return Ibv.WC_REM_ACCESS_ERR;
    }
}
