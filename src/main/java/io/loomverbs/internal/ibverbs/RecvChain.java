package io.loomverbs.internal.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.ffi.DriverFunctions;

import java.lang.foreign.MemorySegment;

/** Posts a chain of receive requests: a copy of it in native memory. */
final class RecvChain {
    /** Where the chain starts in its copy, behind the pointer {@code bad_wr}. */
    private static final long FIRST_WR = Long.BYTES;

    private RecvChain() {}

    /**
     * A {@link PostResult}.
     *
     * @param function {@code post_recv} or {@code post_srq_recv}
     * @param queue the {@code ibv_qp} or {@code ibv_srq}
     */
    static long post(long function, long queue, RecvWr first) {
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

    private static MemorySegment copyOf(RecvWr first, Scratch scratch) {
        long bytes = FIRST_WR;
        for (RecvWr wr = first; wr != null; wr = wr.next()) {
            bytes += wr.nativeBytes();
        }
        MemorySegment to = scratch.ofAtLeast(bytes);
        long at = FIRST_WR;
        for (RecvWr wr = first; wr != null; wr = wr.next()) {
            long end = at + wr.nativeBytes();
            wr.copyTo(to, at, wr.next() == null ? 0 : to.address() + end);
            at = end;
        }
        return to;
    }

    private static int acceptedOf(RecvWr first, MemorySegment chain) {
        long bad = chain.get(JAVA_LONG, 0);
        long at = chain.address() + FIRST_WR;
        int accepted = 0;
        for (RecvWr wr = first; wr != null; wr = wr.next()) {
            if (at == bad) {
                return accepted;
            }
            at += wr.nativeBytes();
            accepted++;
        }
        return PostResult.UNKNOWN;
    }
}
