package io.loomverbs.misuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.AddressHandle;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqGroup;
import io.loomverbs.FailurePolicy;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MemoryWindow;
import io.loomverbs.MwType;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Serving;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.Pending;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;
import io.loomverbs.support.Fixture;

/** One object of each kind, open, and connected where that makes sense. */
@SuppressWarnings("try") // joins threads, which may be interrupted
final class Scene implements AutoCloseable {
    final Fixture f = new Fixture();
    final Context context = f.context;
    final ProtectionDomain pd = f.pd;
    final CompletionChannel channel = f.channel();
    final CompletionQueue direct = f.direct();
    final CompletionQueue shared = f.on(channel);
    final CompletionQueue polled = f.polled();
    final Fixture.Pair rc = f.pair(direct, direct);
    final Fixture.Pair ud = f.pair(QpType.UD, polled, polled);
    final QueuePair reset = f.own(pd.createQp(QpConfig.of(QpType.RC, polled)));
    final SharedReceiveQueue srq = f.own(pd.createSrq(SrqAttributes.of(8)));
    final Serving serving = Serving.of(direct, batch -> {}, FailurePolicy.REPORT);
    final CqGroup group = f.own(CqGroup.create());
    final MemoryRegion mr = f.mr(64);
    final MemoryWindow mw1 = f.own(pd.allocMw(MwType.TYPE_1));
    final MemoryWindow mw2 = f.own(pd.allocMw(MwType.TYPE_2));
    final AddressHandle ah = f.own(pd.createAh(Fixture.addressOf(ud.b)));
    final ProtectionDomain otherPd = f.own(context.allocPd());
    final MemoryRegion otherMr = f.own(otherPd.allocateMr(64, Fixture.anything()));
    final AddressHandle otherAh = f.own(otherPd.createAh(Fixture.addressOf(ud.b)));
    final Fixture g = new Fixture();
    final CompletionQueue foreignCq = g.polled();
    final SharedReceiveQueue foreignSrq = g.own(g.pd.createSrq(SrqAttributes.of(8)));
    final CompletionChannel foreignChannel = g.channel();
    final SendWorkRequest send = SendWorkRequest.allocate(1, 16);
    final Buffer buffer = Buffer.of(mr);
    final Buffer otherBuffer = Buffer.of(otherMr);
    final BufferPool pool = f.own(BufferPool.of(pd, 64, 12));
    final Requests requests = requests();
    final RecvWorkRequest recv = RecvWorkRequest.allocate(1);

    /** Of the connection manager; made only for what tries them. */
    final Connections connections = new Connections(f);

    /** Requests with a receive, over a queue pair that is connected to itself. */
    Requests requests() {
        QueuePair qp = f.own(pd.createQp(QpConfig.of(QpType.RC, f.direct())));
        qp.init(Fixture.anything());
        Requests over = f.own(Requests.over(qp, RequestsConfig.of().withReceives(1, pool)));
        qp.connect(qp.endpoint());
        return over;
    }

    /** A message with an immediate. */
    Message message() throws InterruptedException {
        requests.sendWithImm(buffer, 1);
        return requests.receive();
    }

    /** A request that was done. */
    Pending pending() throws InterruptedException {
        Pending made = requests.startRead(RemoteRegion.of(f.mr(64)), buffer);
        made.await();
        return made;
    }

    QpConfig config(QpType type) {
        return QpConfig.of(type, polled);
    }

    @Override
    public void close() throws Exception {
        // The objects still work, so nothing that was tried has changed them.
        rc.message(1, 8);
        Fixture.poll(direct, 2);
        assertThat(direct.unackedEvents() + shared.unackedEvents()).isZero();
        connections.close();
        f.close();
        g.close();
    }
}
