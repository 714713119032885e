package io.loomverbs.blocking;

import io.loomverbs.WaitStats;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.LockSupport;

/** A thread that is parked, or about to park, until its goal is reached or it must poll. */
final class Parked {
    /** Null when it has left: lists drop it later, and must not keep its thread until then. */
    private @Nullable Thread thread;

    /** The waiter that came before, of the same request. Written before it is published. */
    @Nullable Parked below;

    /** The waiter that came before, in the {@link Succession}. Written by its leader later on. */
    volatile @Nullable Parked lower;

    /** The same thread, on the list of receivers. */
    @Nullable Parked twin;

    /** The neighbours in a {@link WaitList}, under its lock. */
    @Nullable Parked older;

    @Nullable Parked newer;
    boolean listed;

    /** The thread no longer waits: it need not be woken, and is dropped when it is met. */
    volatile boolean gone;

    /** What it waits for; null if that is not shown, and once it has left. */
    private volatile @Nullable Shown waitsFor;

    /** Since when, as {@link System#nanoTime}, if that is shown; 0 until a thread has looked. */
    private volatile long since;

    Parked(@Nullable Thread thread) {
        this(thread, null, 0);
    }

    private Parked(@Nullable Thread thread, @Nullable Shown waitsFor, long since) {
        this.thread = thread;
        this.waitsFor = waitsFor;
        this.since = since;
    }

    /** The calling thread is about to wait, and is shown from then on. */
    static Parked of(Shown waitsFor) {
        return new Parked(Thread.currentThread(), waitsFor, System.nanoTime());
    }

    /**
     * The same, without a look at the clock: where that is a system call, it takes longer than the
     * wait. A thread that looks later says since when.
     */
    static Parked undated(Shown waitsFor) {
        return new Parked(Thread.currentThread(), waitsFor, 0);
    }

    /** Waits since then, if not before. */
    void date(long now) {
        if (since == 0) {
            since = now;
        }
    }

    /**
     * The wait to show; null if there is none.
     *
     * @param more the end of the text
     */
    @Nullable WaitStats stats(String more) {
        Shown what = waitsFor;
        Thread waiting = thread;
        date(System.nanoTime());
        return what == null || waiting == null
                ? null
                : Waits.of(waiting, what.what() + more, since);
    }

    /** A waiter for the same thread, to be put on another list. */
    Parked makeTwin() {
        Parked t = new Parked(thread);
        twin = t;
        return t;
    }

    /** Makes the thread look again. */
    void wake() {
        if (!gone) {
            LockSupport.unpark(thread); // null if it goes just now
        }
    }

    /** The thread waits no longer. */
    void leave() {
        gone = true;
        thread = null;
        waitsFor = null;
    }
}
