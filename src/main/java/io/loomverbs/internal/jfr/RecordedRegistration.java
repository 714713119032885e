package io.loomverbs.internal.jfr;

/** A registration of memory that is being recorded. */
public interface RecordedRegistration {
    /**
     * Ends the recording, on the thread that began it.
     *
     * @param pd the protection domain
     * @param bytes how much memory
     * @param succeeded whether it is registered
     */
    void ended(Object pd, long bytes, boolean succeeded);
}
