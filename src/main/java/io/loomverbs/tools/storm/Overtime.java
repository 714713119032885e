package io.loomverbs.tools.storm;

import org.jspecify.annotations.Nullable;

/**
 * Keeps a storm going after its planned time, until every handler has had work. The speed of a
 * machine decides how long a storm takes, not whether it succeeds.
 *
 * <p>There are two ways to fail, and neither is measured by the clock. Nothing moves: each look
 * finds the same counts, and there are looks only as long as the machine runs this thread. Or
 * others are preferred: a handler is passed over by very many events.
 */
final class Overtime {
    /** Some 30 seconds of looks. */
    static final int LOOKS = 10_000;

    /** Several hundred times what it takes for all threads of a busy channel to have had a turn. */
    static final long EVENTS_PER_CQ = 10_000;

    /** Few CQs need longer for these than handlers may be without their turns: see Turns. */
    static final long LEAST_EVENTS = 20_000_000;

    private static final long LOOK_NANOS = 2_000_000;

    private final StormPlan plan;
    private final StormState state;
    private final int looks;
    private final long eventsPerCq;

    Overtime(StormPlan plan, StormState state) {
        this(plan, state, LOOKS, Math.max(EVENTS_PER_CQ, LEAST_EVENTS / plan.cqs()));
    }

    /** With limits that may be a test's. */
    Overtime(StormPlan plan, StormState state, int looks, long eventsPerCq) {
        this.plan = plan;
        this.state = state;
        this.looks = looks;
        this.eventsPerCq = eventsPerCq;
    }

    /** Returns when all is done, when the storm is to stop, or with a failure added. */
    void await() throws InterruptedException {
        Tally tally = state.tally();
        long mostEvents = tally.events.sum() + eventsPerCq * plan.cqs();
        long last = -1;
        int unchanged = 0;
        for (String missing = missing(); missing != null; missing = missing()) {
            long moved = tally.events.sum() + tally.messages.sum() + tally.destroyed.sum();
            unchanged = moved == last ? unchanged + 1 : 0;
            last = moved;
            if (unchanged == looks) {
                stuck(missing, "nothing moves any more");
                return;
            }
            if (tally.events.sum() > mostEvents) {
                stuck(missing, eventsPerCq + " more events for each CQ were received meanwhile");
                return;
            }
            if (state.awaitStop(LOOK_NANOS)) {
                return;
            }
        }
    }

    private @Nullable String missing() {
        int idle = plan.cqs() - state.tally().handlersAtWork();
        if (idle > 0) {
            return idle + " of " + plan.cqs() + " handlers have had no event";
        }
        boolean churned = plan.churnPerSecond() == 0 || state.tally().destroyed.sum() > 0;
        return churned ? null : "no CQ was destroyed under load";
    }

    private void stuck(String missing, String why) {
        state.failures().add("the storm is stuck", new IllegalStateException(missing + "; " + why));
    }
}
