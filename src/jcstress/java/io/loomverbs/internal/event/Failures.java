package io.loomverbs.internal.event;

/** What actors have thrown, as a part of the outcome: a JCStress test would end with it. */
final class Failures {
    private volatile RuntimeException last;

    void of(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            last = e;
        }
    }

    /** Nothing, or what was thrown last. */
    String text() {
        return last == null ? "" : ", " + last;
    }
}
