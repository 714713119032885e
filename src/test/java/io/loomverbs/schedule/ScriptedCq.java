package io.loomverbs.schedule;

import io.loomverbs.internal.device.ChannelOps;
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

    /** What happens first when it is to be destroyed. */
    Runnable onDestroy = () -> {};

    /** Where its events have to be fetched from; null if they come by themselves. */
    private final LedSource.Channel channel;

    ScriptedCq(CqListener listener, ChannelOps channel) {
        this.listener = listener;
        this.channel = channel instanceof LedSource.Channel led ? led : null;
    }

    void raise() {
        if (channel == null) {
            listener.completionEvent();
        } else {
            channel.add(listener::completionEvent);
        }
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
        onDestroy.run();
        if (refusals > 0) {
            refusals--;
            return -Errno.EBUSY;
        }
        destroyed++;
        return 0;
    }
}
