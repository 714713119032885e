package io.loomverbs.tools.soak;

import java.time.Duration;

/**
 * The plan of a soak.
 *
 * @param duration how long it takes
 * @param cqs how many CQs the storm in it has
 * @param judgesMemory whether it fails if heap or resident memory grow; a short run only shows
 *     them, since the JVM is still compiling
 */
public record SoakPlan(Duration duration, int cqs, boolean judgesMemory) {
    private static final int ROUNDS = 6;
    private static final Duration LONGEST_ROUND = Duration.ofSeconds(10);
    private static final Duration SHORTEST_ROUND = Duration.ofMillis(500);
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final int PART = 3;

    /** How long a round takes, after which nothing may be left. */
    Duration round() {
        Duration part = duration.dividedBy(ROUNDS);
        Duration most = part.compareTo(LONGEST_ROUND) < 0 ? part : LONGEST_ROUND;
        return most.compareTo(SHORTEST_ROUND) < 0 ? SHORTEST_ROUND : most;
    }

    /** When the usage is measured that later measurements are compared with. */
    Duration settled() {
        Duration part = duration.dividedBy(PART);
        return part.compareTo(MINUTE) < 0 ? part : MINUTE;
    }
}
