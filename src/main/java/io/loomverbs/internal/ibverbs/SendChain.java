package io.loomverbs.internal.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.ffi.DriverFunctions;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/** Posts a chain of send requests: a copy of it in native memory. */
final class SendChain {
    /** Where the chain starts in its copy, behind the pointer {@code bad_wr}. */
    private static final long FIRST_WR = Long.BYTES;

    private SendChain() {}

    /**
     * A {@link PostResult}.
     *
     * @param function {@code post_send}
     * @param queue the {@code ibv_qp}
     */
    static long post(long function, long queue, SendWr first) {
        Scratch scratch = Scratch.take();
        try {
            MemorySegment chain = copyOf(first, scratch);
            chain.set(JAVA_LONG, 0, 0); // as with a device that does not set it
            int rc =
                    DriverFunctions.post(
                            function, queue, chain.address() + FIRST_WR, chain.address());
            return rc == 0 ? PostResult.OK : PostResult.failed(-rc, acceptedOf(first, chain));
        } finally {
            scratch.give();
        }
    }

    /** The slot for the address of a refused request, followed by the chain itself. */
    private static MemorySegment copyOf(SendWr first, Scratch scratch) {
        long bytes = FIRST_WR;
        for (SendWr wr = first; wr != null; wr = wr.next()) {
            bytes += wr.nativeBytes();
        }
        MemorySegment to = scratch.ofAtLeast(bytes);
        long at = FIRST_WR;
        for (SendWr wr = first; wr != null; wr = wr.next()) {
            long end = at + wr.nativeBytes();
            wr.copyTo(to, at, wr.next() == null ? 0 : to.address() + end);
            at = end;
        }
        return to;
    }

    private static int acceptedOf(SendWr first, MemorySegment chain) {
        long bad = chain.get(JAVA_LONG, 0);
        long at = chain.address() + FIRST_WR;
        int accepted = 0;
        for (SendWr wr = first; wr != null; wr = wr.next()) {
            if (at == bad) {
                return accepted;
            }
            at += wr.nativeBytes();
            accepted++;
        }
        return PostResult.UNKNOWN;
    }

    /** rxe would take the data for the addresses to which the result goes. */
    static boolean readsInline(SendWr wr) {
        int op = wr.opcode();
        return (wr.sendFlags() & Ibv.SEND_INLINE) != 0
                && (op == Ibv.WR_RDMA_READ
                        || op == Ibv.WR_ATOMIC_CMP_AND_SWP
                        || op == Ibv.WR_ATOMIC_FETCH_AND_ADD);
    }

    /** How many requests come before {@code end}, which is not counted. */
    static int lengthUpTo(SendWr first, @Nullable SendWr end) {
        int n = 0;
        for (SendWr wr = first; wr != null && wr != end; wr = wr.next()) {
            n++;
        }
        return n;
    }
}
