package io.loomverbs.tools.storm;

import org.HdrHistogram.Histogram;

import java.util.List;

/**
 * The result of a storm.
 *
 * @param plan the plan
 * @param interrupted whether it was stopped before its time
 * @param seconds how long messages were sent
 * @param cpuSeconds processor time that the process took meanwhile
 * @param handlers how many handlers were given an event at least once
 * @param messages how many messages were received
 * @param events how many events were received
 * @param lost how many messages never arrived, though neither end was destroyed
 * @param duplicated how many messages arrived twice
 * @param corrupted how many messages were not as they were sent, or not in order
 * @param unacked how many events were never acknowledged
 * @param destroyed how many CQs were destroyed under load
 * @param dropped how many messages were under way when their connection was destroyed
 * @param waits for how long messages and CQs waited
 * @param heapBytesPerHandler heap for a CQ, its handler and what the storm keeps for both to verify
 *     messages, before the first
 * @param failures what else went wrong
 */
public record StormResult(
        StormPlan plan,
        boolean interrupted,
        double seconds,
        double cpuSeconds,
        int handlers,
        long messages,
        long events,
        long lost,
        long duplicated,
        long corrupted,
        long unacked,
        long destroyed,
        long dropped,
        Waits waits,
        long heapBytesPerHandler,
        List<String> failures) {

    /**
     * For how long messages waited for their handlers, and CQs to be served.
     *
     * @param startSeconds until every CQ had been served once; NaN if that never came
     * @param startNanos until then, from the posting of a message to its handler at work
     * @param queueingNanos the same afterwards
     * @param gapNanos of each CQ, the longest time afterwards in which it was not served
     */
    public record Waits(
            double startSeconds,
            Histogram startNanos,
            Histogram queueingNanos,
            Histogram gapNanos) {}

    /**
     * Whether nothing went wrong and, unless it was stopped early, all handlers got work.
     *
     * @return true if the storm may be called a success
     */
    public boolean isGood() {
        return lost == 0
                && duplicated == 0
                && corrupted == 0
                && unacked == 0
                && failures.isEmpty()
                && (interrupted || handlers == plan.cqs())
                && (interrupted || plan.churnPerSecond() == 0 || destroyed > 0);
    }

    /**
     * How many events were received in a second.
     *
     * @return the mean over the whole storm
     */
    public double eventsPerSecond() {
        return seconds == 0 ? 0 : events / seconds;
    }
}
