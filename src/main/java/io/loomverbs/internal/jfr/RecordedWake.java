package io.loomverbs.internal.jfr;

/** A wait of a leader in the kernel that is being recorded. */
public interface RecordedWake {
    /**
     * Ends the recording, on the thread that began it.
     *
     * @param ready how many file descriptors were ready
     * @param raised how many events were raised for that
     */
    void ended(int ready, int raised);
}
