package io.loomverbs.cm;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmConnParam;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmOps;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.soft.SoftDeviceProvider;
import io.loomverbs.internal.softcm.SoftCmProvider;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The end of a connection against its beginning, closes against everything else, and ends that
 * leave at once.
 */
public class ConnectionRaces {
    private static final InetSocketAddress HERE =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    /** A connection under way and a listener; an id, which is scripted, for either. */
    abstract static class Scene {
        final ScriptedId id = new ScriptedId();
        final Endpoint endpoint = Endpoint.incoming("connection", id);
        final RequestQueue<ConnectRequest> requests = RequestQueue.ofConnections("listener", 1);
        final AtomicInteger acted = new AtomicInteger();

        final void event(int type) {
            endpoint.event(CmEvent.of(type, 0));
        }

        final void request() {
            requests.event(CmEvent.of(Cm.EVENT_CONNECT_REQUEST, 0, new byte[0], id));
        }

        final void establish() {
            endpoint.establish(acted::incrementAndGet);
        }

        final String destroyed() {
            return id.destructions > 0 ? "destroyed" : "open";
        }
    }

    /** The peer leaves while the connection is being established, or its device is removed. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the first end was acted upon")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "the queue pair is never flushed")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "an end was acted upon twice")
    @Catches(value = "an end before the connection stands is not acted upon", as = "0")
    @Catches(value = "an end is acted upon as often as it is told", as = "2")
    @State
    public static class EndEstablish extends Scene {
        private final boolean established = ThreadLocalRandom.current().nextBoolean();

        public EndEstablish() {
            if (established) {
                establish();
            }
        }

        @Actor
        public void end() {
            event(Cm.EVENT_DISCONNECTED);
        }

        @Actor
        public void beginOrRemove() {
            if (established) {
                event(Cm.EVENT_DEVICE_REMOVAL);
            } else {
                establish();
            }
        }

        @Arbiter
        public void result(I_Result r) {
            r.r1 = acted.get();
        }
    }

    /** The peer leaves while this side closes the connection. */
    @JCStressTest
    @Outcome(id = "true, destroyed", expect = ACCEPTABLE, desc = "one disconnect, one destruction")
    @Outcome(id = "false, destroyed", expect = FORBIDDEN, desc = "the peer is not told")
    @Catches(value = "a close does not disconnect", as = "false, destroyed")
    @State
    public static class EndClose extends Scene {
        private final AtomicInteger disconnects = new AtomicInteger();

        public EndClose() {
            establish();
        }

        @Actor
        public void end() {
            event(Cm.EVENT_DISCONNECTED);
        }

        @Actor
        public void close() {
            endpoint.close(disconnects::incrementAndGet);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = disconnects.get() == 1;
            r.r2 = destroyed();
        }
    }

    /** A connection comes about while its route or request is closed. */
    @JCStressTest
    @Outcome(id = "connected, open", expect = ACCEPTABLE, desc = "the connection owns the id")
    @Outcome(id = "closed, destroyed", expect = ACCEPTABLE, desc = "the close came first")
    @Outcome(id = "connected, destroyed", expect = FORBIDDEN, desc = "a connection without an id")
    @Catches(value = "a connection is made of a closed route", as = "connected, destroyed")
    @State
    public static class ConnectClose extends Scene {
        private final Attempt attempt = new Attempt(endpoint, "fake0");

        public ConnectClose() {
            attempt.begin();
        }

        @Actor
        public void connect(LL_Result r) {
            r.r1 =
                    Taking.of(
                            () -> {
                                attempt.handOver(() -> {});
                                return "connected";
                            });
        }

        @Actor
        public void close() {
            attempt.close();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = destroyed();
        }
    }

    /** A request arrives while its listener is closed. */
    @JCStressTest
    @Outcome(id = "destroyed", expect = ACCEPTABLE, desc = "it is rejected, whichever came first")
    @Outcome(id = "open", expect = FORBIDDEN, desc = "its client waits indefinitely")
    @Catches(value = "a request enters a closed listener", as = "open")
    @State
    public static class ArriveClose extends Scene {
        @Actor
        public void arrive() {
            request();
        }

        @Actor
        public void close() {
            requests.close();
        }

        @Arbiter
        public void result(L_Result r) {
            r.r1 = destroyed();
        }
    }

    /** A thread waits for a step of a connection, or a request, which comes, or all is closed. */
    @JCStressTest
    @Outcome(id = "comes, event|closes, closed", expect = ACCEPTABLE, desc = "it was told")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "an event of a connection wakes no thread", as = ".*, stuck")
    @Catches(value = "a close of a connection wakes no thread", as = ".*, stuck")
    @Catches(value = "a request wakes no thread", as = ".*, stuck")
    @Catches(value = "a close of a listener wakes no thread", as = ".*, stuck")
    @State
    public static class ArriveTake extends Scene {
        private final boolean listens = ThreadLocalRandom.current().nextBoolean();
        private final boolean closes = ThreadLocalRandom.current().nextBoolean();

        @Actor
        public void arriveOrClose(LL_Result r) {
            r.r1 = closes ? "closes" : "comes";
            if (listens && closes) {
                requests.close();
            } else if (listens) {
                request();
            } else if (closes) {
                endpoint.close();
            } else {
                event(Cm.EVENT_ADDR_RESOLVED);
            }
        }

        /**
         * A thread that is not woken waits to the end of its time, and then finds what it was not
         * woken for: nothing here looks again by itself before.
         */
        @Actor
        public void take(LL_Result r) {
            long nanos = Patience.nanos();
            long begun = System.nanoTime();
            r.r2 = Taking.of(() -> listens ? requests.take(nanos) : endpoint.take(nanos));
            if (System.nanoTime() - begun >= nanos) {
                r.r2 = "stuck";
            }
        }
    }

    /** A connection whose ends answer when the other one leaves, as those of a program do. */
    abstract static class Connected {
        private static final DeviceOps DEVICE = new SoftDeviceProvider().devices().getFirst();
        private static final CmOps CM =
                Objects.requireNonNull(
                        new SoftCmProvider().managerOf(DEVICE.name(), DEVICE.guid()));
        private static final CmConnParam PARAM = new CmConnParam(new byte[0], 1, 1, 7, 7, false, 1);

        final Endpoint client = Endpoint.create("client", CM, Cm.PS_TCP);
        final Endpoint server;

        Connected() {
            AtomicReference<CmIdOps> arrived = new AtomicReference<>();
            CmIdOps listener = CM.createId(e -> arrived.set(e.incoming()), Cm.PS_TCP);
            int refused = listener.bindAddr(HERE) | listener.listen(1);
            InetSocketAddress at = Objects.requireNonNull(listener.localAddress());
            CmIdOps id = client.ops();
            refused |= id.resolveAddr(null, at, 1) | id.resolveRoute(1) | id.connect(PARAM);
            server = Endpoint.incoming("server", arrived.get());
            refused |= server.ops().accept(PARAM) | id.establish();
            listener.destroy();
            if (refused != 0) {
                throw new IllegalStateException("errno " + -refused);
            }
            for (Endpoint end : new Endpoint[] {client, server}) {
                end.establish(() -> leave(end));
            }
        }

        /** It may be over already. */
        static void leave(Endpoint end) {
            int ignored = end.ops().disconnect();
        }

        static String told(Endpoint end) {
            CmEvent event = end.end();
            return event == null ? "untold" : "over";
        }
    }

    /** Both ends leave: one disconnects, the other does so, too, or destroys its id. */
    @JCStressTest
    @Outcome(id = "over, (over|closed)", expect = ACCEPTABLE, desc = "each is told")
    @Outcome(id = ".*untold.*", expect = FORBIDDEN, desc = "one waits for its end indefinitely")
    @Catches(value = "a disconnection is not answered", as = ".*untold.*")
    @State
    public static class BothLeave extends Connected {
        private final boolean closes = ThreadLocalRandom.current().nextBoolean();

        @Actor
        public void server() {
            leave(server);
        }

        @Actor
        public void client() {
            if (closes) {
                client.close();
            } else {
                leave(client);
            }
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r1 = told(server);
            r.r2 = closes ? "closed" : told(client);
        }
    }

    /** A queue pair is attached to a group that is left. */
    @JCStressTest
    @Outcome(id = "free", expect = ACCEPTABLE, desc = "detached by the close, or never attached")
    @Outcome(id = "attached", expect = FORBIDDEN, desc = "nothing detaches it any more")
    @Catches(value = "a group is left while a queue pair attaches", as = "attached")
    @State
    public static class AttachClose {
        private static final ProtectionDomain PD = Verbs.device("soft0").open().allocPd();
        private static final CompletionQueue CQ = PD.context().createDirectCq(1);
        private static final ConnectionManager CM = ConnectionManager.of(PD.context().device());

        private final QueuePair qp = PD.createQp(QpConfig.of(QpType.UD, CQ).withWr(1, 1));
        private final MulticastGroup group = join();

        private static MulticastGroup join() {
            try {
                InetSocketAddress address = new InetSocketAddress("239.1.2.3", 0);
                return CM.joinMulticast(HERE, address, Duration.ofMinutes(1));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Actor
        public void attach() {
            try {
                group.attach(qp);
            } catch (ClosedException e) {
                // The close came first.
            }
        }

        @Actor
        public void close() {
            group.close();
        }

        @Arbiter
        public void result(L_Result r) {
            try {
                qp.close();
                r.r1 = "free";
            } catch (VerbsException e) {
                r.r1 = "attached";
            }
        }
    }
}
