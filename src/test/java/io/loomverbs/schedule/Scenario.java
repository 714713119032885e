package io.loomverbs.schedule;

/** Some use of the API by a few threads, with what must hold whatever the order of their steps. */
@FunctionalInterface
interface Scenario {
    /**
     * Sets up, runs the threads, checks; anything thrown is a failure. Called on the scheduler's
     * own thread, which must not wait for anything.
     */
    void play(Schedule schedule) throws Exception;
}
