package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SendWr;

import java.lang.foreign.MemorySegment;

/** The rules by which {@code ibv_post_send} refuses a request at once, with {@code EINVAL}. */
final class SendRules {
    private static final int UD_SEND = 1 << Ibv.WR_SEND | 1 << Ibv.WR_SEND_WITH_IMM;
    private static final int ANY_SEND = UD_SEND | 1 << Ibv.WR_SEND_WITH_INV;
    private static final int ANY_LOCAL = 1 << Ibv.WR_LOCAL_INV | 1 << Ibv.WR_BIND_MW;
    private static final int ANY_WRITE = 1 << Ibv.WR_RDMA_WRITE | 1 << Ibv.WR_RDMA_WRITE_WITH_IMM;
    private static final int ANY_ATOMIC =
            1 << Ibv.WR_ATOMIC_CMP_AND_SWP | 1 << Ibv.WR_ATOMIC_FETCH_AND_ADD;
    private static final int ANY_FLAG =
            Ibv.SEND_FENCE | Ibv.SEND_SIGNALED | Ibv.SEND_SOLICITED | Ibv.SEND_INLINE;

    private SendRules() {}

    /** The opcodes, as bits, that a type of QP can execute. */
    static int opcodes(int qpType) {
        return switch (qpType) {
            case Ibv.QPT_RC ->
                    ANY_SEND | ANY_WRITE | ANY_LOCAL | ANY_ATOMIC | 1 << Ibv.WR_RDMA_READ;
            case Ibv.QPT_UC -> ANY_SEND | ANY_WRITE | ANY_LOCAL;
            default -> UD_SEND;
        };
    }

    static int check(SoftQp qp, SendWr wr) {
        int opcode = wr.opcode();
        int flags = wr.sendFlags();
        int n = wr.numSge();
        if ((opcode & ~31) != 0
                || (qp.opcodes & 1 << opcode) == 0
                || (flags & ~ANY_FLAG) != 0
                || n < 0
                || (n > wr.maxSge() && (n != 1 || (flags & Ibv.SEND_INLINE) == 0))) {
            return Errno.EINVAL;
        }
        if ((flags & Ibv.SEND_INLINE) != 0) {
            return inlineFits(qp, wr, opcode, n) ? 0 : Errno.EINVAL;
        }
        if (n > qp.cap().maxSendSge()) {
            return Errno.EINVAL;
        }
        if ((ANY_LOCAL & 1 << opcode) != 0) {
            boolean bind = opcode == Ibv.WR_BIND_MW;
            boolean named = wr.mw() instanceof SoftMw && wr.mr() instanceof SoftMr;
            return n == 0 && (named || !bind) ? 0 : Errno.EINVAL;
        }
        if ((ANY_ATOMIC & 1 << opcode) != 0) {
            return listedBytes(wr, n) >= Long.BYTES ? 0 : Errno.EINVAL;
        }
        return qp.type != Ibv.QPT_UD || wr.ah() instanceof SoftAh ? 0 : Errno.EINVAL;
    }

    /* What is sent inline lies in the request's own memory: no other address can be read here. */
    private static boolean inlineFits(SoftQp qp, SendWr wr, int opcode, int n) {
        if (((ANY_SEND | ANY_WRITE) & 1 << opcode) == 0
                || (qp.type == Ibv.QPT_UD && !(wr.ah() instanceof SoftAh))) {
            return false;
        }
        MemorySegment own = wr.memory();
        long total = 0;
        for (int i = 0; i < n; i++) {
            long bytes = wr.sgeLength(i) & 0xffff_ffffL;
            long at = wr.sgeAddr(i) - own.address();
            if (at < 0 || bytes > own.byteSize() || at > own.byteSize() - bytes) {
                return false;
            }
            total += bytes;
        }
        return total <= qp.cap().maxInlineData();
    }

    private static long listedBytes(SendWr wr, int n) {
        long total = 0;
        for (int i = 0; i < n; i++) {
            total += wr.sgeLength(i) & 0xffff_ffffL;
        }
        return total;
    }
}
