package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

/** A thread that waits in a queue. */
public final class Receiver extends TimedWait {
    private final EventQueue queue;
    private @Nullable OnVirtualThread<String> thread;
    private String what;

    public Receiver(EventQueue queue) {
        this.queue = queue;
    }

    /** In a virtual thread. */
    Receiver started() {
        thread = OnVirtualThread.start(this::receive);
        return this;
    }

    /** In this thread. */
    public String receive() {
        what = waits(() -> Taking.of(() -> queue.take(Patience.nanos())));
        return what;
    }

    void interrupt() {
        thread.interrupt();
    }

    /** What it has received, and whether that was long after there was reason to. */
    public String result() {
        if (thread != null) {
            thread.join();
        }
        return orLate(what);
    }

    /** The same of a thread that is started now, for something that is there. */
    static String receiveAtOnce(EventQueue queue) {
        return new Receiver(queue).started().result();
    }
}
