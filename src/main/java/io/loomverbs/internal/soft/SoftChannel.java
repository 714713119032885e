package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.Errno;

/** A completion channel: here it only knows whether CQs still use it. */
final class SoftChannel implements ChannelOps {
    final SoftContext context;
    final RefCount users = new RefCount();

    SoftChannel(SoftContext context) {
        this.context = context;
    }

    @Override
    public int destroy() {
        if (users.retire()) {
            return 0;
        }
        return users.retired() ? -Errno.EINVAL : -Errno.EBUSY;
    }
}
