package io.loomverbs;

import java.util.concurrent.ThreadFactory;

/** What {@link CompletionChannel#serve} does, with threads of a test. */
public final class ServingThreads {
    private ServingThreads() {}

    /** Starts {@code n} threads, or none that goes on. */
    public static void start(Serving serving, ThreadFactory factory, int n) {
        serving.start(factory, n);
    }
}
