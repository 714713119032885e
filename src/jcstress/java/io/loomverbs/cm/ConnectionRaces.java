package io.loomverbs.cm;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** The end of a connection against its beginning, and closes against everything else. */
public class ConnectionRaces {
    private interface Wait {
        Object forAtMost(long nanos) throws InterruptedException;
    }

    /**
     * A thread that is not woken waits to the end of its time, and then finds what it was not woken
     * for: nothing here looks again by itself before.
     */
    private static String outcome(Wait wait) {
        long nanos = Patience.nanos();
        long begun = System.nanoTime();
        String outcome = Taking.of(() -> wait.forAtMost(nanos));
        return System.nanoTime() - begun >= nanos ? "stuck" : outcome;
    }

    /** A connection under way, whose id is scripted. */
    abstract static class Connecting {
        final ScriptedId id = new ScriptedId();
        final Endpoint endpoint = Endpoint.incoming("connection", id);
        final AtomicInteger acted = new AtomicInteger();

        final void event(int type) {
            endpoint.event(CmEvent.of(type, 0));
        }

        final void establish() {
            endpoint.establish(acted::incrementAndGet);
        }

        final String destroyed() {
            return id.destructions > 0 ? "destroyed" : "open";
        }
    }

    /** A listener, and a request that arrives there. */
    abstract static class Listening {
        final ScriptedId id = new ScriptedId();
        final RequestQueue<ConnectRequest> requests = RequestQueue.ofConnections("listener", 1);

        final void request() {
            requests.event(CmEvent.of(Cm.EVENT_CONNECT_REQUEST, 0, new byte[0], id));
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
    public static class EndEstablish extends Connecting {
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
    @Outcome(id = ".*, open", expect = FORBIDDEN, desc = "an id that nothing destroys")
    @Catches(value = "a close does not disconnect", as = "false, destroyed")
    @State
    public static class EndClose extends Connecting {
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

    /** A thread waits for a step of a connection, which comes, or another thread closes it. */
    @JCStressTest
    @Outcome(id = "step, event|close, closed", expect = ACCEPTABLE, desc = "it was told")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "an event of a connection wakes no thread", as = ".*, stuck")
    @Catches(value = "a close of a connection wakes no thread", as = ".*, stuck")
    @State
    public static class StepTake extends Connecting {
        private final boolean closes = ThreadLocalRandom.current().nextBoolean();

        @Actor
        public void step(LL_Result r) {
            r.r1 = closes ? "close" : "step";
            if (closes) {
                endpoint.close();
            } else {
                event(Cm.EVENT_ADDR_RESOLVED);
            }
        }

        @Actor
        public void take(LL_Result r) {
            r.r2 = outcome(endpoint::take);
        }
    }

    /** A connection comes about while its route or request is closed. */
    @JCStressTest
    @Outcome(id = "connected, open", expect = ACCEPTABLE, desc = "the connection owns the id")
    @Outcome(id = "closed, destroyed", expect = ACCEPTABLE, desc = "the close came first")
    @Outcome(id = "connected, destroyed", expect = FORBIDDEN, desc = "a connection without an id")
    @Outcome(id = "closed, open", expect = FORBIDDEN, desc = "an id that nothing destroys")
    @Catches(value = "a connection is made of a closed route", as = "connected, destroyed")
    @State
    public static class ConnectClose extends Connecting {
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
    @Outcome(id = "rejected", expect = ACCEPTABLE, desc = "whichever came first")
    @Outcome(id = "forgotten", expect = FORBIDDEN, desc = "its client waits indefinitely")
    @Catches(value = "a request enters a closed listener", as = "forgotten")
    @State
    public static class ArriveClose extends Listening {
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
            r.r1 = id.destructions > 0 ? "rejected" : "forgotten";
        }
    }

    /** A thread accepts while a request arrives, or the listener is closed. */
    @JCStressTest
    @Outcome(id = "request, event|close, closed", expect = ACCEPTABLE, desc = "it was told")
    @Outcome(id = ".*, stuck", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a request wakes no thread", as = ".*, stuck")
    @Catches(value = "a close of a listener wakes no thread", as = ".*, stuck")
    @State
    public static class ArriveAccept extends Listening {
        private final boolean closes = ThreadLocalRandom.current().nextBoolean();

        @Actor
        public void arrive(LL_Result r) {
            r.r1 = closes ? "close" : "request";
            if (closes) {
                requests.close();
            } else {
                request();
            }
        }

        @Actor
        public void accept(LL_Result r) {
            r.r2 = outcome(requests::take);
        }
    }
}
