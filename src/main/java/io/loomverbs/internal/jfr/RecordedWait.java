package io.loomverbs.internal.jfr;

/** A wait that is being recorded. */
public interface RecordedWait {
    /**
     * Ends the recording, on the thread that began it.
     *
     * @param waitedFor the object whose event it was; its text is asked for only if the wait was
     *     long enough to be recorded
     * @param operation what the program called
     * @param received whether the thread got what it waited for
     */
    void ended(Object waitedFor, String operation, boolean received);
}
