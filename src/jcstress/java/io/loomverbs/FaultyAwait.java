package io.loomverbs;

import java.time.Duration;

/** {@link CompletionQueue#await(WorkCompletions, int)} with one fault. */
final class FaultyAwait {
    /** What is wrong. */
    enum Fault {
        /** It polls, arms and waits. */
        NO_POLL_AFTER_ARM,
        /** Who takes the event for all leaves with its completion and wakes nobody. */
        NO_PASS_ON
    }

    private FaultyAwait() {}

    /** One by one; how many it got, fewer than {@code min} if it is stuck. */
    static int await(Fault fault, CompletionQueue cq, int min, long nanos)
            throws InterruptedException {
        WorkCompletions batch = WorkCompletions.allocate(1);
        int held = cq.poll(batch);
        while (held < min) {
            if (fault == Fault.NO_POLL_AFTER_ARM) {
                pause();
            }
            cq.reqNotify(false);
            if (fault != Fault.NO_POLL_AFTER_ARM) {
                held += cq.poll(batch);
                if (held >= min) {
                    break;
                }
            }
            CqEvent event = cq.getCqEvent(Duration.ofNanos(nanos));
            if (event == null) {
                return held;
            }
            event.close();
            held += cq.poll(batch);
        }
        return held;
    }

    /** Shows the fault more often than it would show by itself. */
    private static void pause() {
        for (int i = 0; i < 300; i++) {
            Thread.onSpinWait();
        }
    }
}
