package io.loomverbs.tools.soak;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * The result of a soak.
 *
 * @param plan the plan
 * @param interrupted whether it was stopped before its time
 * @param seconds how long it took
 * @param rounds how many rounds it had
 * @param counts how often each part did its work
 * @param first the process's usage once it had settled; null if it was stopped before
 * @param last its usage at the end; null if it was stopped before the second look
 * @param judgesRss whether resident memory could be judged
 * @param failures the failures
 */
public record SoakResult(
        SoakPlan plan,
        boolean interrupted,
        double seconds,
        int rounds,
        SoakCounts counts,
        @Nullable Usage first,
        @Nullable Usage last,
        boolean judgesRss,
        List<String> failures) {

    /**
     * Whether nothing went wrong.
     *
     * @return true if the soak may be called a success
     */
    public boolean isGood() {
        return failures.isEmpty();
    }
}
