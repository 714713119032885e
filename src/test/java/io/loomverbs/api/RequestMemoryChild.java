package io.loomverbs.api;

import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

/** A JVM of its own, which makes requests and batches for each call, and keeps none. */
public final class RequestMemoryChild {
    private static final int CALLS = 1_000_000;

    private static volatile @Nullable Object last;

    private RequestMemoryChild() {}

    /** Prints that it has made them all. */
    public static void main(String[] args) {
        for (int i = 0; i < CALLS; i++) {
            last = SendWorkRequest.allocate(1, 256);
            last = RecvWorkRequest.allocate(4);
            last = WorkCompletions.allocate(16);
            if (i % 100 == 0) {
                last = SendWorkRequest.allocate(1, 1 << 16);
                last = WorkCompletions.allocate(1024);
            }
        }
        System.out.println(last == null ? "none" : "made");
    }
}
