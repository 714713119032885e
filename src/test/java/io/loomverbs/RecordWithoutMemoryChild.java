package io.loomverbs;

import io.loomverbs.internal.jfr.Recorder;

/** Begins to record its first wait when there is no memory, and another one later. */
final class RecordWithoutMemoryChild {
    private RecordWithoutMemoryChild() {}

    public static void main(String[] args) {
        Recorder.endWait(null, "", "", true); // loads what it needs, but for the events
        HalfMadeChild.useUp();
        Object first = begun();
        HalfMadeChild.hoard = null;
        System.out.println(first);
        System.out.println(begun());
    }

    private static Object begun() {
        try {
            return Recorder.beginWait();
        } catch (Error e) {
            return e;
        }
    }
}
