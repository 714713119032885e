package io.loomverbs;

import org.jspecify.annotations.Nullable;

/** The task of a thread of {@link Serving#start}. */
final class ServingTask implements Runnable {
    private final Serving serving;

    /** The thread that has entered; a factory may run this on another one, or at another time. */
    volatile @Nullable Thread thread;

    ServingTask(Serving serving) {
        this.serving = serving;
    }

    @Override
    public void run() {
        Thread me = Thread.currentThread();
        if (me == thread) {
            thread = null; // once
            serving.serve(me);
        }
    }
}
