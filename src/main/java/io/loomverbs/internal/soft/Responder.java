package io.loomverbs.internal.soft;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.Ibv;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * What a queue pair does with a request that has reached it, IBA 9.6 to 9.9. Every method is called
 * under the lock of the {@link RecvQueue} of {@code to}, and returns the status that the sender
 * sees.
 *
 * <p>The checks come in the order of the specification: is the operation allowed at all, is there a
 * receive buffer, is the length right, are key and bounds.
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
        if (status == Ibv.WC_SUCCESS) {
            received(wr, to, buffer, wr.length, 0, 0, 0, after);
        }
        return status;
    }

    static int write(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        if (!to.allows(Ibv.ACCESS_REMOTE_WRITE) || to.cannotTakePacketsOf(from, wr)) {
            return refuse(to, after);
        }
        RecvSlot buffer = null;
        if (wr.carriesImm()) {
            buffer = to.rq.peekOrRemember(from.sq);
            if (buffer == null) {
                return Transport.RNR_NAK - to.attr.minRnrTimer;
            }
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
        if (!to.allows(Ibv.ACCESS_REMOTE_READ) || to.attr.maxDestRdAtomic == 0) {
            return refuse(to, after);
        }
        if (from.cannotTakePacketsOf(to, wr)) {
            return Ibv.WC_BAD_RESP_ERR;
        }
        int copied =
                SgCopy.copy(
                        to.pd,
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

    static int atomic(SoftQp from, SendSlot wr, SoftQp to, DeferredNotifications after) {
        long addr = wr.remoteAddr();
        if (!to.allows(Ibv.ACCESS_REMOTE_ATOMIC)
                || to.attr.maxDestRdAtomic == 0
                || (addr & Long.BYTES - 1) != 0) {
            return refuse(to, after);
        }
        SoftMr mr = to.device.mrs.find(wr.rkey());
        if (mr == null
                || !mr.grants(to.pd, Ibv.ACCESS_REMOTE_ATOMIC, addr, Long.BYTES)
                || !mr.acquire()) {
            return denyAccess(to, after);
        }
        long before;
        try {
            // First of all: the JVM itself ends if it is an atomic access that hits a missing page.
            if (!FileMapping.isReadable(mr.memory, mr.offset(addr), Long.BYTES)) {
                return denyAccess(to, after);
            }
            before =
                    wr.opcode == Ibv.WR_ATOMIC_FETCH_AND_ADD
                            ? (long) LONG.getAndAdd(mr.memory, mr.offset(addr), wr.compareAdd)
                            : (long)
                                    LONG.compareAndExchange(
                                            mr.memory, mr.offset(addr), wr.compareAdd, wr.swap);
            FileMapping.settle(mr.memory);
        } catch (IllegalStateException | InternalError closedOrShortened) {
            return denyAccess(to, after);
        } finally {
            mr.release();
        }
        MemorySegment result = wr.scratch(Long.BYTES);
        result.set(JAVA_LONG, 0, before);
        int copied =
                SgCopy.scatter(
                        result,
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
        return copyOut(from, wr, to.pd, wr.remote, 1, Ibv.ACCESS_REMOTE_WRITE, 0);
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
        to.rq.advance(after);
        boolean imm = wr.carriesImm();
        int opcode =
                wr.opcode == Ibv.WR_RDMA_WRITE_WITH_IMM ? Ibv.WC_RECV_RDMA_WITH_IMM : Ibv.WC_RECV;
        SoftWc wc = after.completion();
        wc.set(to.qpNum(), wrId, Ibv.WC_SUCCESS, opcode, (int) byteLen);
        wc.immData = imm ? wr.immData : 0;
        wc.srcQp = srcQp;
        wc.wcFlags = imm ? flags | Ibv.WC_WITH_IMM : flags;
        wc.slid = slid;
        wc.solicited = wr.solicited();
        after.added(to.recvCq, to.recvCq.add(wc));
    }

    private static int copyOut(
            SoftQp from, SendSlot wr, SoftPd to, long[] target, int entries, int access, int skip) {
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
