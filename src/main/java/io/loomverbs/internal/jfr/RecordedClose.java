package io.loomverbs.internal.jfr;

/** A close that waits for acknowledgements, and is being recorded. */
public interface RecordedClose {
    /**
     * Ends the recording, on the thread that began it.
     *
     * @param closed what was to be closed
     * @param unacknowledged how many events it waited for when it began
     * @param succeeded whether it is closed
     */
    void ended(Object closed, int unacknowledged, boolean succeeded);
}
