package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;

import java.util.concurrent.atomic.AtomicInteger;

/** Counts the objects of a kind whose number the device limits. */
final class Quota {
    private final int limit;
    private final AtomicInteger taken = new AtomicInteger();

    Quota(int limit) {
        this.limit = limit;
    }

    /** Takes one, or fails with {@code ENOMEM} as verbs do. */
    void take(String what) {
        if (taken.incrementAndGet() > limit) {
            taken.decrementAndGet();
            throw exhausted(what, limit);
        }
    }

    void give() {
        taken.decrementAndGet();
    }

    static DeviceException exhausted(String what, int limit) {
        return new DeviceException(Errno.ENOMEM, "all " + limit + " " + what + " are in use");
    }
}
