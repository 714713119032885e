package io.loomverbs.blocking;

import io.loomverbs.QueuePair;

/** Takes the buffers of a ring of receives from a pool, all or none. */
final class Buffers {
    private static final Buffer[] NONE = {};

    private Buffers() {}

    static Buffer[] take(RequestsConfig config, QueuePair qp) {
        BufferPool pool = config.pool();
        int n = config.receives();
        if (n == 0 || pool == null) {
            return NONE;
        }
        if (pool.pd() != qp.pd()) {
            throw new IllegalArgumentException(
                    "pool is of " + pool.pd() + ", but " + qp + " is of " + qp.pd());
        }
        Buffer[] taken = new Buffer[n];
        int got = 0;
        try {
            while (got < n) {
                Buffer b = pool.tryTake();
                if (b == null) {
                    throw new IllegalStateException(
                            pool + " has only " + got + " buffers left, but receives is " + n);
                }
                taken[got++] = b;
            }
            return taken;
        } finally {
            for (int i = 0; got < n && i < got; i++) {
                taken[i].close();
            }
        }
    }
}
