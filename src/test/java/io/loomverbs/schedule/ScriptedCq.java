package io.loomverbs.schedule;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Errno;

import java.lang.foreign.MemorySegment;

/** A CQ that holds no completions, raises what it is told to, and may refuse to be destroyed. */
final class ScriptedCq implements CqOps {
    final CqListener listener;

    /** How many more times it refuses to be destroyed. */
    int refusals;

    int destroyed;

    ScriptedCq(CqListener listener) {
        this.listener = listener;
    }

    @Override
    public int cqe() {
        return 1;
    }

    @Override
    public int poll(MemorySegment wcs, long at, int max) {
        return 0;
    }

    @Override
    public int reqNotify(boolean solicitedOnly) {
        return 0;
    }

    @Override
    public int destroy() {
        SchedulePoint.point();
        if (refusals > 0) {
            refusals--;
            return -Errno.EBUSY;
        }
        destroyed++;
        return 0;
    }
}
