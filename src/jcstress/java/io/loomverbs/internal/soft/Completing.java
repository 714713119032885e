package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Ibv;

/** Gives a CQ of the embedded device completions at will, as its queue pairs do. */
public final class Completing {
    private Completing() {}

    /** Adds one completion, and raises the event if the CQ was armed for it. */
    public static void complete(CqOps ops, long wrId) {
        SoftCq cq = (SoftCq) ops;
        SoftWc wc = new SoftWc().set(0, wrId, Ibv.WC_SUCCESS, Ibv.WC_RECV, 0);
        if (cq.add(wc) == SoftCq.FIRED) {
            cq.events.completionEvent();
        }
    }
}
