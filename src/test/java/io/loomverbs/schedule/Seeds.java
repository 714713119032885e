package io.loomverbs.schedule;

/** Which seeds are tried, by system properties that a failure and docs/testing.md name. */
record Seeds(long first, long end) {
    private static final long DEFAULT_COUNT = 180_000;

    /** How many schedules there are for each scenario if nothing else was asked for. */
    static long defaultFor(int scenarios) {
        return DEFAULT_COUNT / scenarios;
    }

    static Seeds of(String scenario, int scenarios) {
        Long one = Long.getLong("schedule.seed");
        if (one == null) {
            long first = Long.getLong("schedule.first", 1);
            return new Seeds(
                    first, first + Long.getLong("schedule.count", DEFAULT_COUNT) / scenarios);
        }
        boolean asked = scenario.equals(System.getProperty("schedule.scenario", scenario));
        return new Seeds(one, asked ? one + 1 : one);
    }

    /**
     * Plays a schedule that fails once more, to tell how that came about.
     *
     * @param first how it failed: all that is known if it goes well when it is played again
     */
    static String report(Player player, String scenario, long seed, String first) {
        String failure = player.play(scenario, seed, true).failure();
        return "scenario "
                + scenario
                + " fails with seed "
                + seed
                + ". To replay it:\n"
                + replay(scenario, seed)
                + "\n\n"
                + (failure == null
                        ? "It went well when it was played again. At first:\n" + first
                        : failure);
    }

    static String replay(String scenario, long seed) {
        return "mvn -B test -Dtest=SchedulesTest -Dschedule.scenario="
                + scenario
                + " -Dschedule.seed="
                + seed;
    }
}
