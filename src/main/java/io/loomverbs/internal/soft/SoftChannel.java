package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.Errno;

/** A completion channel: here it only knows whether CQs still use it, and whom a loss concerns. */
final class SoftChannel implements ChannelOps {
    final SoftContext context;
    final RefCount users = new RefCount();
    private Runnable lost = () -> {};

    SoftChannel(SoftContext context) {
        this.context = context;
    }

    @Override
    public void onLoss(Runnable what) {
        lost = what;
        context.channels.add(this); // and then a look: the device sets the mark, then tells all
        if (context.faults.isDeviceLost()) {
            lose();
        }
    }

    void lose() {
        lost.run();
    }

    @Override
    public int destroy() {
        if (users.retire()) {
            context.channels.remove(this);
            return 0;
        }
        return users.retired() ? -Errno.EINVAL : -Errno.EBUSY;
    }
}
