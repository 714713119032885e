package io.loomverbs.schedule;

import java.util.List;

/** What a {@link World} offers to the outside. */
public interface Player {
    List<String> scenarios();

    /**
     * Runs a scenario under the schedule of a seed.
     *
     * @param traced whether a failure is to tell the steps that led to it
     */
    Outcome play(String scenario, long seed, boolean traced);
}
