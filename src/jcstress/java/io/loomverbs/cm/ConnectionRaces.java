package io.loomverbs.cm;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.ClosedException;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

import java.util.concurrent.atomic.AtomicInteger;

/** The end of a connection against its beginning, and closes against everything else. */
public class ConnectionRaces {
    private static final String LEFT = "stuck";

    private interface Wait {
        String forAtMost(long nanos) throws InterruptedException;
    }

    /**
     * A thread that is not woken waits to the end of its time, and then finds what it was not woken
     * for: nothing here looks again by itself before.
     */
    private static String waiting(Wait wait) {
        long nanos = Patience.nanos();
        long begun = System.nanoTime();
        String outcome;
        try {
            outcome = wait.forAtMost(nanos);
        } catch (ClosedException e) {
            outcome = "closed";
        } catch (InterruptedException e) {
            outcome = "interrupted";
        }
        return System.nanoTime() - begun >= nanos ? LEFT : outcome;
    }

    static String take(Endpoint endpoint) {
        return waiting(nanos -> endpoint.take(nanos) == null ? LEFT : "event");
    }

    static String accept(RequestQueue requests) {
        return waiting(nanos -> requests.take(nanos) == null ? LEFT : "accepted");
    }

    static Endpoint endpoint(ScriptedId id) {
        return Endpoint.incoming("connection", id);
    }

    /** The peer leaves while the connection is being established. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the end was acted upon")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "the queue pair is never flushed")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "both sides acted")
    @Catches(value = "an end before the connection stands is not acted upon", as = "0")
    @State
    public static class EndEstablish {
        private final AtomicInteger acted = new AtomicInteger();
        private final Endpoint endpoint = endpoint(new ScriptedId());

        @Actor
        public void end() {
            endpoint.event(CmEvent.of(Cm.EVENT_DISCONNECTED, 0));
        }

        @Actor
        public void establish() {
            endpoint.establish(acted::incrementAndGet);
        }

        @Arbiter
        public void acted(I_Result r) {
            r.r1 = acted.get();
        }
    }

    /** The peer leaves while its device is removed. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the first counts")
    @Outcome(id = "2", expect = FORBIDDEN, desc = "acted upon twice")
    @Catches(value = "an end is acted upon as often as it is told", as = "2")
    @State
    public static class TwoEnds {
        private final AtomicInteger acted = new AtomicInteger();
        private final Endpoint endpoint = endpoint(new ScriptedId());

        public TwoEnds() {
            endpoint.establish(acted::incrementAndGet);
        }

        @Actor
        public void disconnected() {
            endpoint.event(CmEvent.of(Cm.EVENT_DISCONNECTED, 0));
        }

        @Actor
        public void removed() {
            endpoint.event(CmEvent.of(Cm.EVENT_DEVICE_REMOVAL, 0));
        }

        @Arbiter
        public void acted(I_Result r) {
            r.r1 = acted.get();
        }
    }

    /** The peer leaves while this side closes the connection. */
    @JCStressTest
    @Outcome(id = "true, destroyed", expect = ACCEPTABLE, desc = "one farewell, one destruction")
    @Outcome(id = "false, destroyed", expect = FORBIDDEN, desc = "the peer is not told")
    @Outcome(id = ".*, open", expect = FORBIDDEN, desc = "an id that nothing destroys")
    @Catches(value = "a connection is closed without a farewell", as = "false, destroyed")
    @State
    public static class EndClose {
        private final ScriptedId id = new ScriptedId();
        private final AtomicInteger farewells = new AtomicInteger();
        private final Endpoint endpoint = endpoint(id);

        public EndClose() {
            endpoint.establish(() -> {});
        }

        @Actor
        public void end() {
            endpoint.event(CmEvent.of(Cm.EVENT_DISCONNECTED, 0));
        }

        @Actor
        public void close() {
            endpoint.close(farewells::incrementAndGet);
        }

        @Arbiter
        public void outcome(LL_Result r) {
            r.r1 = farewells.get() == 1;
            r.r2 = id.destructions > 0 ? "destroyed" : "open";
        }
    }

    /** A thread waits for the next step of a connection, which comes. */
    @JCStressTest
    @Outcome(id = "event", expect = ACCEPTABLE, desc = "it has come")
    @Outcome(id = LEFT, expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "an event of a connection wakes nobody", as = LEFT)
    @State
    public static class EventTake {
        private final Endpoint endpoint = endpoint(new ScriptedId());

        @Actor
        public void raise() {
            endpoint.event(CmEvent.of(Cm.EVENT_ADDR_RESOLVED, 0));
        }

        @Actor
        public void take(L_Result r) {
            r.r1 = ConnectionRaces.take(endpoint);
        }
    }

    /** A thread waits for the next step of a connection, which another thread closes. */
    @JCStressTest
    @Outcome(id = "closed", expect = ACCEPTABLE, desc = "it was told")
    @Outcome(id = LEFT, expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a close of a connection wakes nobody", as = LEFT)
    @State
    public static class CloseTake {
        private final Endpoint endpoint = endpoint(new ScriptedId());

        @Actor
        public void close() {
            endpoint.close();
        }

        @Actor
        public void take(L_Result r) {
            r.r1 = ConnectionRaces.take(endpoint);
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
    public static class ConnectClose {
        private final ScriptedId id = new ScriptedId();
        private final Attempt attempt = new Attempt(endpoint(id));

        public ConnectClose() {
            attempt.begin();
        }

        @Actor
        public void connect(LL_Result r) {
            try {
                attempt.handOver(() -> {});
                r.r1 = "connected";
            } catch (ClosedException e) {
                r.r1 = "closed";
            }
        }

        @Actor
        public void close() {
            attempt.close();
        }

        @Arbiter
        public void outcome(LL_Result r) {
            r.r2 = id.destructions > 0 ? "destroyed" : "open";
        }
    }

    /** What a listener is told of: a request of this id. */
    static CmEvent request(ScriptedId id) {
        return new CmEvent(Cm.EVENT_CONNECT_REQUEST, 0, new byte[0], 0, 0, 0, id);
    }

    /** A request arrives while its listener is closed. */
    @JCStressTest
    @Outcome(id = "rejected", expect = ACCEPTABLE, desc = "whichever came first")
    @Outcome(id = "forgotten", expect = FORBIDDEN, desc = "its client waits indefinitely")
    @Catches(value = "a request enters a closed listener", as = "forgotten")
    @State
    public static class ArriveClose {
        private final ScriptedId id = new ScriptedId();
        private final RequestQueue requests = new RequestQueue("listener", 1);

        @Actor
        public void arrive() {
            requests.event(request(id));
        }

        @Actor
        public void close() {
            requests.close();
        }

        @Arbiter
        public void outcome(L_Result r) {
            r.r1 = id.destructions > 0 ? "rejected" : "forgotten";
        }
    }

    /** A request arrives while a thread accepts. */
    @JCStressTest
    @Outcome(id = "accepted", expect = ACCEPTABLE, desc = "it has come")
    @Outcome(id = LEFT, expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a request wakes nobody", as = LEFT)
    @State
    public static class ArriveAccept {
        private final RequestQueue requests = new RequestQueue("listener", 1);

        @Actor
        public void arrive() {
            requests.event(request(new ScriptedId()));
        }

        @Actor
        public void accept(L_Result r) {
            r.r1 = ConnectionRaces.accept(requests);
        }
    }

    /** A listener is closed while a thread accepts. */
    @JCStressTest
    @Outcome(id = "closed", expect = ACCEPTABLE, desc = "it was told")
    @Outcome(id = LEFT, expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a close of a listener wakes nobody", as = LEFT)
    @State
    public static class AcceptClose {
        private final RequestQueue requests = new RequestQueue("listener", 1);

        @Actor
        public void close() {
            requests.close();
        }

        @Actor
        public void accept(L_Result r) {
            r.r1 = ConnectionRaces.accept(requests);
        }
    }
}
