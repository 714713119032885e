package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.Errno;

import java.util.concurrent.atomic.AtomicBoolean;

/** An address handle. */
final class SoftAh implements AhOps {
    final SoftPd pd;
    final AhAttr attr;
    private final AtomicBoolean destroyed = new AtomicBoolean();

    SoftAh(SoftPd pd, AhAttr attr) {
        this.pd = pd;
        this.attr = attr;
    }

    boolean usableBy(SoftPd pd) {
        return this.pd == pd && !destroyed.get();
    }

    @Override
    public int destroy() {
        if (!destroyed.compareAndSet(false, true)) {
            return -Errno.EINVAL;
        }
        pd.device.ahs.give();
        pd.users.remove();
        return 0;
    }
}
