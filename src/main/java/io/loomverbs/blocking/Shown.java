package io.loomverbs.blocking;

/** What a thread waits for, as {@code context.dump()} lists it. */
@FunctionalInterface
interface Shown {
    /** The end of a sentence: the thread "waits for" that. Asked by any thread. */
    String what();
}
