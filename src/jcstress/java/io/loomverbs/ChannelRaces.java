package io.loomverbs;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.event.OnVirtualThread;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.event.TimedWait;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.*;

/** Channels, and CQs with direct delivery, that are closed while threads wait. */
public class ChannelRaces {
    private static final Context CONTEXT = Verbs.device("soft0").open();

    /** Waits with a bound that no wake-up takes as long as; says of what the event is. */
    private static String receive(CompletionChannel channel) {
        return Taking.of(
                () -> {
                    CqEvent event = channel.getCqEvent(Patience.time());
                    if (event == null) {
                        return null;
                    }
                    boolean closed = event.cq().ledger().isClosed();
                    event.close();
                    return closed ? "event of a closed CQ" : "event";
                });
    }

    /** A channel is closed while a thread asks for its descriptor. */
    @JCStressTest
    @Outcome(id = "(given|closed), given back", expect = ACCEPTABLE, desc = "nothing is left")
    @Outcome(id = ".*, left open", expect = FORBIDDEN, desc = "no thread closes it any more")
    @Catches(value = "a descriptor is made for a channel that is closed", as = ".*, left open")
    @Catches(value = "a channel leaves its descriptor open", as = ".*, left open")
    @State
    public static class CloseFd {
        private final CompletionChannel channel = CONTEXT.createCompChannel();

        @Actor
        public void ask(LL_Result r) {
            r.r1 = Taking.of(() -> channel.fd() < 0 ? null : "given");
        }

        @Actor
        public void close() {
            channel.close();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = channel.queue().fd() < 0 ? "given back" : "left open";
            channel.queue().unwatch();
        }
    }

    /** A CQ with direct delivery is closed while a virtual thread comes to wait for its event. */
    @JCStressTest
    @Outcome(id = "closed", expect = ACCEPTABLE, desc = "the waiter heard of the close")
    @Outcome(id = ".*late", expect = FORBIDDEN, desc = "the waiter was not woken")
    @Catches(value = "a thread that comes after the end is not told", as = ".*late")
    @State
    public static class DirectCloseTake extends TimedWait {
        private final CompletionQueue cq = CONTEXT.createDirectCq(1);

        @Actor
        public void take(L_Result r) {
            r.r1 = waitsInTime(() -> Taking.of(() -> cq.getCqEvent(Patience.time())));
        }

        @Actor
        public void close() {
            wakesAsVirtual(cq::close);
        }
    }

    /** An event comes up while its CQ and then the channel are closed, under a waiting thread. */
    @JCStressTest
    @Outcome(id = "event, closed, in time", expect = ACCEPTABLE, desc = "received before the close")
    @Outcome(id = "closed, closed, in time", expect = ACCEPTABLE, desc = "the event is dropped")
    @Outcome(id = "event of a closed CQ, .*", expect = FORBIDDEN, desc = "received after its close")
    @Catches(value = "closing does not stop deliveries", as = "event of a closed CQ, .*")
    @State
    public static class CloseRaise extends TimedWait {
        private final CompletionChannel channel = CONTEXT.createCompChannel();
        private final CompletionQueue cq = CONTEXT.createCq(1, null, channel, 0);
        private final CqListener listener = cq.listener();
        private final OnVirtualThread<String> waiter = OnVirtualThread.start(this::takeTwice);
        private volatile String second;

        private String takeTwice() {
            String first = receive(channel);
            second = waits(() -> receive(channel));
            return first;
        }

        @Actor
        public void raise() {
            listener.completionEvent();
        }

        @Actor
        public void close() {
            cq.close();
            wakes(channel::close);
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r1 = waiter.join();
            r.r2 = second;
            r.r3 = inTime();
        }
    }
}
