package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;

/** Whether an object is gone that nothing should refer to any more. */
public final class Collected {
    private static final int TRIES = 200;
    private static final int PAUSE_MILLIS = 5;

    private Collected() {}

    public static void assertCollected(WeakReference<?> reference) throws InterruptedException {
        for (int i = 0; i < TRIES && reference.get() != null; i++) {
            System.gc();
            Thread.sleep(PAUSE_MILLIS);
        }
        assertThat(reference.get()).isNull();
    }
}
