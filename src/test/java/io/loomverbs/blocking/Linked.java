package io.loomverbs.blocking;

import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.support.Fixture;

/** Two connected queue pairs with blocking requests over each, and a pool for both. */
@SuppressWarnings("try") // joins threads, which may be interrupted
final class Linked implements AutoCloseable {
    static final int DEPTH = 16;
    static final int RECEIVES = 8;
    static final int BYTES = 1024;

    final Fixture f = new Fixture();
    final BufferPool pool;
    final CompletionQueue cq;
    final CompletionQueue peerCq;
    final QueuePair qp;
    final QueuePair peerQp;
    final Requests a;
    final Requests b;
    final MemoryRegion memory;

    Linked() {
        this(QpType.RC, DEPTH, RequestsConfig.of());
    }

    Linked(QpType type, int depth, RequestsConfig config) {
        cq = f.own(f.context.createDirectCq(depth + RECEIVES));
        peerCq = f.own(f.context.createDirectCq(depth + RECEIVES));
        memory = f.mr(Fixture.BUFFER);
        pool = f.own(BufferPool.traced(f.pd, BYTES, 64));
        qp = f.own(f.pd.createQp(of(type, cq, depth)));
        peerQp = f.own(f.pd.createQp(of(type, peerCq, depth)));
        if (type == QpType.UD) {
            qp.activate(Fixture.QKEY);
            peerQp.activate(Fixture.QKEY);
        } else {
            qp.init(Fixture.anything());
            peerQp.init(Fixture.anything());
        }
        a = f.own(Requests.over(qp, config.withReceives(RECEIVES, pool)));
        b = f.own(Requests.over(peerQp, RequestsConfig.of().withReceives(RECEIVES, pool)));
        if (type != QpType.UD) {
            qp.connect(peerQp.endpoint());
            peerQp.connect(qp.endpoint());
        }
    }

    private static QpConfig of(QpType type, CompletionQueue cq, int depth) {
        return QpConfig.of(type, cq).withWr(depth, RECEIVES).withSge(2, 2).withInlineData(64);
    }

    /** The memory of the peer, for one-sided requests. */
    RemoteRegion remote() {
        return RemoteRegion.of(memory);
    }

    @Override
    public void close() throws Exception {
        f.close();
    }
}
