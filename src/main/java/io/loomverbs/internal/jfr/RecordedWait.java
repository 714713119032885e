package io.loomverbs.internal.jfr;

/** A wait that is being recorded. */
public interface RecordedWait {
    /** See {@link Recorder#endWait}. */
    void ended(Object waitedFor, String operation, boolean received);
}
