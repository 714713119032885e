package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcStruct;

import java.lang.foreign.MemorySegment;

/** A device that completes a message first, tells of it, and then copies it. */
final class FaultyLink {
    private static final SoftDevice DEVICE = new SoftDevice(SoftLimits.GENEROUS);

    final SoftCq receives;

    FaultyLink(CqListener received) {
        receives = new SoftCq(DEVICE, 4, null, received);
    }

    void send(MemorySegment source, MemorySegment target) {
        int added =
                receives.add(
                        1,
                        Ibv.WC_SUCCESS,
                        Ibv.WC_RECV,
                        (int) source.byteSize(),
                        0,
                        0,
                        0,
                        0,
                        0,
                        false);
        if (added == SoftCq.FIRED) {
            receives.events.completionEvent();
        }
        for (int i = 0; i < 200; i++) { // shows the fault more often than it would by itself
            Thread.onSpinWait();
        }
        target.copyFrom(source);
    }

    boolean poll(MemorySegment wcs) {
        return receives.poll(wcs, 0, 1) == 1 && WcStruct.wrId(wcs, 0) == 1;
    }

    /** A region whose copies look whether it is there, and do not say that they are at work. */
    static final class Region {
        private volatile boolean gone;

        boolean copy(MemorySegment source, MemorySegment target) {
            if (gone) {
                return false;
            }
            for (int i = 0; i < 20; i++) {
                Thread.onSpinWait();
            }
            target.copyFrom(source);
            return true;
        }

        void dereg() {
            gone = true;
        }
    }
}
