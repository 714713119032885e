package io.loomverbs.internal.soft;

import static java.util.Objects.requireNonNull;

import io.loomverbs.internal.device.SendWr;

/** The contents of a request of opcode BIND_MW; in memory that its slot reuses. */
final class SoftBind {
    /** As the region, null before the first. */
    @SuppressWarnings("NullAway.Init")
    SoftMw mw;

    @SuppressWarnings("NullAway.Init")
    SoftMr mr;

    int oldKey;
    int newKey;
    long addr;
    long length;
    int access;

    /** Copies a request that {@link SendRules} has accepted. From now on the window has its key. */
    void fill(SendWr wr) {
        mw = (SoftMw) requireNonNull(wr.mw());
        mr = (SoftMr) requireNonNull(wr.mr());
        oldKey = mw.rkey();
        newKey = wr.bindRkey();
        addr = wr.bindAddr();
        length = wr.bindLength();
        access = wr.bindAccess();
        mw.rkey(newKey);
    }
}
