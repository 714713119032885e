package io.loomverbs.tools;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;

/**
 * The benchmarks, as the command sees them. They are in the test scope, with JMH, so the library
 * cannot refer to them.
 */
public interface Benchmarks {
    /** The name of the class that implements it, which has a constructor without parameters. */
    String IMPLEMENTATION = "io.loomverbs.bench.Bench";

    /**
     * What to run, and where results go.
     *
     * @param names sets, or parts of the names of benchmarks; empty for all
     * @param rounds how often to run everything, one round after the other
     * @param millis how long an iteration takes
     * @param params parameters to restrict, NAME=VALUE,VALUE
     * @param folder for the report
     * @param from raw results to combine in one report instead of running anything; or none
     * @param baseline raw results to compare with
     * @param json whether the output is a line of JSON
     */
    record Plan(
            List<String> names,
            int rounds,
            int millis,
            List<String> params,
            Path folder,
            List<Path> from,
            @Nullable Path baseline,
            boolean json) {}

    /** The outcome. */
    enum Verdict {
        /** Measured and reported. */
        DONE,
        /** Something is slower than the baseline, beyond the noise. */
        SLOWER,
        /** Something that was requested could not be measured. */
        INCOMPLETE
    }

    /**
     * Prints the sets.
     *
     * @param out where to
     * @param json whether as a line of JSON
     */
    void list(PrintWriter out, boolean json);

    /**
     * Runs and reports.
     *
     * @param plan what to run
     * @param out for the results
     * @param err for the progress
     * @return the outcome
     * @throws IOException if files cannot be read or written
     * @throws IllegalArgumentException if the plan makes no sense; the message says why
     */
    Verdict run(Plan plan, PrintWriter out, PrintWriter err) throws IOException;
}
