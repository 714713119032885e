package io.loomverbs.blocking;

/** The object of a thread's wait, as {@code context.dump()} lists it. */
@FunctionalInterface
interface Shown {
    /** The end of a sentence: the thread "waits for" that. Asked by any thread. */
    String what();
}
