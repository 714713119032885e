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
import io.loomverbs.internal.soft.SoftDeviceProvider;
import io.loomverbs.internal.softcm.SoftCmProvider;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;

/** Both ends of a connection of soft0 that go at once, and a group that is left. */
public class DepartureRaces {
    private static final InetSocketAddress HERE =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

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
