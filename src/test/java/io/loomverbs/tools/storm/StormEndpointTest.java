package io.loomverbs.tools.storm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Access;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.Verbs;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;

/** An endpoint that is destroyed while its handler is at work, and one that is its own peer. */
@Timeout(60)
class StormEndpointTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final StormPlan PLAN =
            new StormPlan(
                    2,
                    StormDelivery.DIRECT,
                    WaitStrategy.EVENTS,
                    1,
                    Duration.ofSeconds(1),
                    1,
                    64,
                    0);

    private final StormState state = new StormState(PLAN.cqs());
    private final StormScratch scratch = new StormScratch();

    /** Both ends of a connection. */
    private record Ends(StormEndpoint a, StormEndpoint b) {
        void close() {
            a.die();
            b.die();
            a.closeQp();
            b.closeQp();
            a.closeCq();
            b.closeCq();
        }
    }

    private Ends open(Context context, ProtectionDomain pd, MemoryRegion memory, int incarnation) {
        StormEndpoint a = new StormEndpoint(0, incarnation, PLAN, state, context, null, memory);
        StormEndpoint b = new StormEndpoint(1, incarnation, PLAN, state, context, null, memory);
        a.createQp(pd);
        b.createQp(pd);
        a.connect(b, scratch);
        b.connect(a, scratch);
        return new Ends(a, b);
    }

    /**
     * A handler that has awaited a message, and comes to it only after the endpoint was renewed,
     * finds the next endpoint's message in the memory: it neither judges nor answers it.
     */
    @Test
    void aHandlerThatIsLateLeavesTheMemoryAlone() throws InterruptedException {
        WorkCompletions late = WorkCompletions.allocate(4);
        WorkCompletions next = WorkCompletions.allocate(4);
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory =
                        pd.allocateMr(
                                PLAN.cqs() * StormEndpoint.bytesOfStation(PLAN),
                                Access.LOCAL_WRITE)) {
            Ends first = open(context, pd, memory, 1);
            first.a().kickOff(scratch);
            assertThat(first.b().cq().await(late, 1, PATIENCE)).isEqualTo(1);
            first.close();
            Ends second = open(context, pd, memory, 2);
            second.a().kickOff(scratch);
            first.b().serveAwaited(late, scratch);
            assertThat(second.b().cq().await(next, 1, PATIENCE)).isEqualTo(1);
            second.b().serveAwaited(next, scratch);
            assertThat(state.tally().corrupted.sum()).isZero();
            assertThat(state.tally().messages.sum()).isEqualTo(1);
            assertThat(state.failures().first()).isEmpty();
            second.close();
        }
    }

    /**
     * A message that goes to the CQ it came from, before the handler waits for the first time: the
     * handler finds one more each time it polls, so it works without ever receiving an event.
     */
    @Test
    void aHandlerThatAlwaysFindsMessagesIsAtWork() throws InterruptedException {
        StormPlan plan =
                new StormPlan(1, StormDelivery.DIRECT, null, 1, Duration.ofSeconds(1), 1, 64, 0);
        StormState alone = new StormState(1);
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory =
                        pd.allocateMr(StormEndpoint.bytesOfStation(plan), Access.LOCAL_WRITE)) {
            StormEndpoint end = new StormEndpoint(0, 1, plan, alone, context, null, memory);
            end.createQp(pd);
            end.connect(end, scratch);
            end.kickOff(scratch);
            EndpointSlot slot = new EndpointSlot();
            slot.take(end);
            Thread handler = StormHandlers.direct(0, slot, false, alone);
            Fixture.eventually("work", () -> alone.tally().handlersAtWork() == 1);
            alone.stop();
            end.die();
            end.closeQp();
            end.closeCq();
            slot.close();
            assertThat(handler.join(PATIENCE)).isTrue();
            assertThat(alone.tally().corrupted.sum()).isZero();
            assertThat(alone.failures().first()).isEmpty();
        }
    }
}
