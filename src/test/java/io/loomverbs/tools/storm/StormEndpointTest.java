package io.loomverbs.tools.storm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Access;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.Verbs;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;

/** An endpoint that is destroyed while its handler is at work, and the next one in its memory. */
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
}
