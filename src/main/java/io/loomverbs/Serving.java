package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.event.Awaited;
import io.loomverbs.internal.event.StopSignal;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.concurrent.ThreadFactory;
import java.util.stream.Collectors;

/**
 * Runs a handler for the completions of a CQ, or of all CQs of a completion channel, batch after
 * batch, until it is stopped.
 *
 * <p>{@link CompletionQueue#serve} and {@link CompletionChannel#serve} start one on virtual threads
 * of its own. {@link #of(CompletionQueue, CompletionHandler, FailurePolicy) of} makes one that no
 * thread runs yet. Threads join with {@link #start}, or by calling {@link #run}: an executor, a
 * task scope or a thread of any kind can run it. A CQ is served by one thread, a channel by any
 * number.
 *
 * <p>A thread's part in serving ends when
 *
 * <ul>
 *   <li>serving is stopped ({@link #stop}, {@link #close}): it handles what has arrived, then ends
 *   <li>the thread is interrupted, or the handler throws {@link InterruptedException}: it ends with
 *       the current batch, and stays interrupted
 *   <li>the CQ, or the channel, is closed
 *   <li>the handler throws, and the policy is {@link FailurePolicy#STOP}; or the CQ that it serves
 *       has overrun
 * </ul>
 *
 * <p>While the CQ or channel is being served, other threads cannot await its completions, receive
 * its events or serve it: they get an {@link IllegalStateException} that names the thread. Threads
 * that began to wait earlier share completions with the handler. They may {@code poll}, and so take
 * completions away from the handler. Once no thread serves it, all of that is possible again; as
 * always before a wait, arm the CQ, then poll it ({@code await} and {@code serve} do so).
 *
 * <p>What a thread did before it called {@code start} happens-before the first call of the handler;
 * the last call of the handler happens-before the return of a {@code stop}, {@code close} or {@code
 * join} that has seen the end. Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public abstract sealed class Serving implements Runnable, AutoCloseable
        permits CqServing, ChannelServing {
    /*
     * A thread enters, and claims the CQ or the channel if it is the first. It handles completions,
     * then leaves, and the last thread to leave gives the claim back. Entering and leaving are
     * under this object's monitor, as is the stop: no thread enters once that has begun.
     *
     * A thread that was started has entered, but it is the program's factory that has made it: it
     * may end before it has begun to serve. So a thread that waits for the end looks for such
     * threads, as long as some have not begun.
     */
    /** How often it looks. */
    private static final long LOOK_NANOS = 100_000_000;

    private final Object served;
    private final FailurePolicy policy;
    private final End end = new End();

    /** Given when serving is to stop. */
    final StopSignal stop = new StopSignal();

    /** Whether threads are not to begin another batch: a stop ran out of time. */
    private volatile boolean abandoned;

    /** Whether what had arrived when the stop began was handled, or is gone with its CQ. */
    private volatile boolean drained;

    /** Whether something that had arrived may have been left, since the stop began. */
    private volatile boolean incomplete;

    @GuardedBy("this")
    private final List<Thread> threads = new ArrayList<>(1);

    /** The started threads that have not begun to serve. */
    @GuardedBy("this")
    private final List<Thread> starting = new ArrayList<>(1);

    /** Whether the handler has stopped it. */
    private volatile @Nullable Throwable failure;

    /** How many threads are in it. Written under the monitor. */
    private volatile int running;

    /** One of these, for messages; null if there is none. Written under the monitor. */
    private volatile @Nullable Thread first;

    Serving(Object served, FailurePolicy policy) {
        this.served = served;
        this.policy = policy;
    }

    /** The end of all threads that run it. */
    private final class End extends Awaited {
        @Override
        protected boolean isPending() {
            return running > 0;
        }

        boolean await(long nanos) throws InterruptedException {
            boolean timed = nanos != Long.MAX_VALUE;
            long start = timed ? System.nanoTime() : 0;
            long left = nanos;
            while (isStarting()) {
                if (awaitEnd(Math.min(left, LOOK_NANOS))) {
                    return true;
                }
                left = timed ? nanos - (System.nanoTime() - start) : nanos;
                if (left <= 0) {
                    return false;
                }
            }
            return awaitEnd(left);
        }

        void awaitAll() {
            boolean interrupted = false;
            while (isPending()) {
                try {
                    await(Long.MAX_VALUE);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        void tell() {
            ended();
        }
    }

    /**
     * Serves a CQ, once a thread runs it.
     *
     * @param cq a CQ with direct delivery
     * @param handler what to run for each batch
     * @param policy what follows when the handler throws
     * @return the serving, which no thread runs yet
     * @throws IllegalStateException if the CQ does not have direct delivery
     */
    public static Serving of(CompletionQueue cq, CompletionHandler handler, FailurePolicy policy) {
        Arguments.notNull(cq, "cq");
        Arguments.notNull(handler, "handler");
        Arguments.notNull(policy, "policy");
        return new CqServing(cq.direct(), handler, policy);
    }

    /**
     * Serves the CQs of a channel, once threads run it. The threads share the CQs: each event wakes
     * one of them. Completions of one CQ are handled in order, by one thread at a time. CQs with
     * completions take turns: each gives up to four batches, then it goes behind the others.
     *
     * <p>CQs of the channel are armed when serving begins, or when they are created; what they hold
     * by then is handled, too. CQs with direct delivery, whose events the channel only carries, are
     * not served. A CQ that has overrun counts as a handler that has thrown.
     *
     * @param channel the channel
     * @param handler what to run for each batch
     * @param policy what follows when the handler throws
     * @return the serving, which no thread runs yet
     */
    public static Serving of(
            CompletionChannel channel, ChannelHandler handler, FailurePolicy policy) {
        Arguments.notNull(channel, "channel");
        Arguments.notNull(handler, "handler");
        Arguments.notNull(policy, "policy");
        return new ChannelServing(channel, handler, policy);
    }

    /**
     * Serves in the calling thread, and returns when its part in serving ends. Blocks.
     *
     * @throws IllegalStateException if the CQ or channel is being served by another, or the handler
     *     threw a checked exception and the policy is {@link FailurePolicy#STOP}
     * @throws ClosedException if this was stopped, or the CQ or channel is closed
     * @throws VerbsException {@code EIO} if the CQ that it serves has overrun
     */
    @Override
    public final void run() {
        Thread me = Thread.currentThread();
        enter(me);
        serve(me);
    }

    /**
     * Starts one more thread that runs it. It inherits what threads of the factory inherit.
     *
     * @param factory makes the thread
     * @return this
     * @throws IllegalStateException if the CQ or channel is being served by another, or if the
     *     factory gives no thread or one that is started already. As with anything that a factory
     *     or the start of a thread throws, nothing has changed then
     * @throws ClosedException if this was stopped, or the CQ or channel is closed
     */
    public final Serving start(ThreadFactory factory) {
        Arguments.notNull(factory, "factory");
        ServingTask task = new ServingTask(this);
        Thread thread = factory.newThread(task);
        if (thread == null || thread.getState() != Thread.State.NEW) {
            throw new IllegalStateException(
                    "factory "
                            + factory
                            + " gave "
                            + (thread == null ? "no thread" : thread + ", which was started")
                            + " to serve "
                            + served);
        }
        enter(thread);
        boolean started = false;
        try {
            task.thread = thread;
            starts(thread);
            thread.start();
            started = true;
        } finally {
            if (!started) {
                task.thread = null;
                leave(thread);
            }
        }
        return this;
    }

    /** Starts {@code n} threads, or none that goes on. */
    final Serving start(ThreadFactory factory, int n) {
        boolean all = false;
        try {
            for (int i = 0; i < n; i++) {
                start(factory);
            }
            all = true;
            return this;
        } finally {
            if (!all) {
                abandoned = true;
                request();
                end.awaitAll();
            }
        }
    }

    private synchronized void enter(Thread thread) {
        if (stop.isGiven()) {
            throw new ClosedException(this);
        }
        threads.add(thread);
        boolean entered = false;
        try {
            claim(thread, threads.size() == 1);
            running = threads.size();
            first = threads.getFirst();
            entered = true;
        } finally {
            if (!entered) {
                threads.removeLast();
            }
        }
    }

    private synchronized void starts(Thread thread) {
        starting.add(thread);
    }

    private synchronized void hasBegun(Thread thread) {
        starting.remove(thread);
    }

    /** Whether a thread has not begun to serve. Those that have ended by now never will. */
    private boolean isStarting() {
        boolean some = false;
        for (Thread thread : startingNow()) {
            if (thread.getState() == Thread.State.TERMINATED) {
                leave(thread);
            } else {
                some = true;
            }
        }
        return some;
    }

    private synchronized List<Thread> startingNow() {
        return List.copyOf(starting);
    }

    private void leave(Thread thread) {
        synchronized (this) {
            if (!threads.remove(thread)) {
                return; // another thread has found that it had ended
            }
            starting.remove(thread);
            unclaim(thread, threads.isEmpty());
            running = threads.size();
            first = threads.isEmpty() ? null : threads.getFirst();
        }
        end.tell();
    }

    /** The work of each thread that has entered. */
    final void serve(Thread me) {
        boolean ended = false;
        HandlerCalls calls = null;
        try {
            hasBegun(me);
            calls = HandlerCalls.begin(served, me);
            serveUntilStopped(calls);
            ended = true;
        } catch (InterruptedException e) {
            me.interrupt();
        } catch (ClosedException e) {
            if (e == failure) {
                throw e;
            }
            drained = true; // what it held is gone with it
            ended = true;
        } finally {
            if (!ended && stop.isGiven()) {
                incomplete = true;
            }
            try {
                if (calls != null) {
                    calls.end();
                }
            } finally {
                leave(me);
            }
        }
    }

    /** Claims what is served for a thread, or for the first of several. */
    abstract void claim(Thread thread, boolean first);

    /** Undoes {@link #claim}. */
    abstract void unclaim(Thread thread, boolean last);

    /**
     * Handles completions until the signal is given, then what has arrived.
     *
     * @param calls is notified of each call of the handler
     * @throws ClosedException if what is served is closed
     */
    abstract void serveUntilStopped(HandlerCalls calls) throws InterruptedException;

    /** Ends the waits of threads that wait for completions. */
    abstract void endWaits();

    /** Whether a thread is not to begin another batch. */
    final boolean isAbandoned() {
        return abandoned;
    }

    /** Everything that had arrived was handled. */
    final void drained() {
        drained = true;
    }

    /** Something that had arrived may not have been handled. */
    final void incomplete() {
        incomplete = true;
    }

    /** The handler has thrown: returns if serving goes on. */
    final void failed(Throwable thrown) throws InterruptedException {
        if (thrown instanceof InterruptedException interrupt) {
            throw interrupt;
        }
        if (policy == FailurePolicy.REPORT) {
            report(thrown);
            return;
        }
        failure = thrown;
        abandoned = true;
        request();
        if (thrown instanceof Error error) {
            throw error;
        }
        throw thrown instanceof RuntimeException exception
                ? exception
                : new IllegalStateException("the handler of " + served + " failed", thrown);
    }

    /** As the JVM does when a thread ends: what the handler for that throws is ignored. */
    private static void report(Throwable thrown) {
        Thread me = Thread.currentThread();
        try {
            me.getUncaughtExceptionHandler().uncaughtException(me, thrown);
        } catch (Throwable ignored) {
            // There is nothing left to report it to.
        }
    }

    private void request() {
        synchronized (this) {
            stop.give();
        }
        endWaits();
    }

    /**
     * Stops serving: its threads handle everything that had arrived when this was called, then they
     * end. Parks until then, for at most {@code timeout}. At the deadline it gives up: each thread
     * ends when its handler returns from the current batch; what is left stays in the CQs. A
     * handler is not interrupted.
     *
     * <p>In a thread that serves, this does not wait: the thread ends when the handler has returned
     * and what had arrived is handled.
     *
     * <p>A stop ends even if the CQ is still in use: completions that arrive later may be handled,
     * or stay there.
     *
     * @param timeout how long to wait; zero stops threads after their current batch
     * @return whether all threads have ended and what had arrived was handled, or is gone with its
     *     CQ. If not, {@link #status} says which threads have not ended, or why it was not handled
     * @throws InterruptedException if the thread was interrupted before or while it waited; serving
     *     stops all the same
     * @throws IllegalArgumentException if the timeout is negative
     */
    public final boolean stop(Duration timeout) throws InterruptedException {
        long nanos = Arguments.nanos("timeout", timeout);
        request();
        if (isServedBy(Thread.currentThread())) {
            return false;
        }
        if (!end.await(nanos)) {
            abandoned = true;
            incomplete = true;
        }
        return isDrained();
    }

    private boolean isDrained() {
        return running == 0 && drained && !incomplete;
    }

    /**
     * Stops serving like {@link #stop}, without a time limit. Closing again does nothing. An
     * interrupt does not end the wait; the thread stays interrupted. The CQ or channel stays open.
     */
    @Override
    public final void close() {
        request();
        if (!isServedBy(Thread.currentThread())) {
            end.awaitAll();
        }
    }

    /**
     * Waits until no thread runs it, for at most {@code timeout}. Stops nothing.
     *
     * @param timeout how long to wait; zero does not wait
     * @return whether no thread runs it; also before the first one does
     * @throws InterruptedException if the thread was interrupted before or while it waited
     * @throws IllegalArgumentException if the timeout is negative
     */
    public final boolean join(Duration timeout) throws InterruptedException {
        return end.await(Arguments.nanos("timeout", timeout));
    }

    /**
     * The threads that run it. To end one at once, interrupt it.
     *
     * @return those at this moment
     */
    public final synchronized List<Thread> threads() {
        return List.copyOf(threads);
    }

    /** The end of a sentence that says that something is being served. Takes no lock. */
    final String byThread() {
        Thread thread = first;
        return thread == null ? "" : " by thread " + Place.nameOf(thread);
    }

    private synchronized boolean isServedBy(Thread thread) {
        return threads.contains(thread);
    }

    /**
     * The state in words: the threads that run it, whether it stops or has stopped, whether
     * completions may be left, and the exception of the handler that has stopped it.
     *
     * @return the state at this moment
     */
    public final String status() {
        StringJoiner text = new StringJoiner(", ");
        List<Thread> now = threads();
        text.add(now.isEmpty() ? "no thread runs it" : "run by " + names(now));
        if (stop.isGiven()) {
            String ends =
                    abandoned ? "after the current batch" : "once what has arrived is handled";
            String ended = isDrained() ? "stopped" : "stopped, completions may be left";
            text.add(now.isEmpty() ? ended : "stops " + ends);
        }
        Throwable cause = failure;
        if (cause != null) {
            text.add("its handler has thrown " + cause);
        }
        return text.toString();
    }

    private static String names(List<Thread> threads) {
        return threads.stream().map(Place::nameOf).collect(Collectors.joining(", "));
    }

    /** The CQ or channel that is served. */
    @Override
    public final String toString() {
        return "serving of " + served;
    }
}
