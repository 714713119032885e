package io.loomverbs.internal.jfr;

/** An arm whose event is being waited for, and recorded. */
public interface RecordedArm {
    /**
     * Ends the recording, on the thread that has received the event.
     *
     * @param cq the CQ; its text is asked for only if that took long enough to be recorded
     */
    void ended(Object cq);
}
