package io.loomverbs.schedule;

import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * What the rewritten classes call: scheduling points, and what stands in for the JDK's time,
 * parking and threads. On a thread that no scheduler runs, such as the one that sets a scenario up,
 * points do nothing.
 */
public final class SchedulePoint {
    /**
     * How long the core may sleep before it looks by itself, unless a scenario is about that: so
     * that a look does not hide a wake-up that was lost.
     */
    private static final long NO_LOOKS = VirtualClock.NEVER;

    private static final ReusedMemory MEMORY = new ReusedMemory();

    private static SeededScheduler scheduler;
    private static long lookNanos = NO_LOOKS;

    /** What was made in this schedule and keeps count of something. */
    private static final Set<Object> MADE = Collections.newSetFromMap(new IdentityHashMap<>());

    private SchedulePoint() {}

    static void begin(SeededScheduler next) {
        MADE.clear();
        scheduler = next;
        lookNanos = NO_LOOKS;
        MEMORY.forgetAll();
    }

    static Set<Object> made() {
        return MADE;
    }

    static void end() {
        scheduler = null;
    }

    static void lookEvery(long nanos) {
        lookNanos = nanos;
    }

    private static boolean inSchedule() {
        return scheduler != null && scheduler.isRunning() && Thread.currentThread().isVirtual();
    }

    /** Before a step that other threads can see. */
    public static void point() {
        if (inSchedule()) {
            scheduler.point();
        }
    }

    /** At the end of a constructor. */
    public static void made(Object object) {
        if (scheduler != null) {
            MADE.add(object);
        }
    }

    /** For {@link Thread#yield}. */
    public static void spin() {
        if (inSchedule()) {
            scheduler.spin();
        }
    }

    /** For {@link System#nanoTime}. */
    public static long nanoTime() {
        return scheduler == null ? 0 : scheduler.clock.now();
    }

    /** For the pause between two looks of a closer. */
    public static long lookNanos() {
        return lookNanos;
    }

    /** For {@link Arena#ofAuto}. */
    public static Arena ofAuto() {
        return MEMORY;
    }

    /** For {@link LockSupport#park(Object)}. */
    public static void park(Object blocker) {
        mustBeInSchedule();
        scheduler.point();
        if (!scheduler.endsParkEarly()) {
            scheduler.park(blocker);
        }
    }

    /** For {@link LockSupport#parkNanos(long)}. */
    public static void parkNanos(long nanos) {
        parkNanos(SchedulePoint.class, nanos);
    }

    /** For {@link LockSupport#parkNanos(Object, long)}. */
    public static void parkNanos(Object blocker, long nanos) {
        mustBeInSchedule();
        scheduler.point();
        if (nanos <= 0 || scheduler.endsParkEarly()) {
            return;
        }
        Thread me = Thread.currentThread();
        VirtualClock.Alarm alarm = scheduler.clock.in(nanos, () -> LockSupport.unpark(me));
        scheduler.park(blocker);
        scheduler.clock.cancel(alarm);
    }

    /** For {@link LockSupport#unpark}. */
    public static void unpark(Thread thread) {
        point();
        LockSupport.unpark(thread);
    }

    /** For {@link Thread#ofVirtual}. */
    public static Thread.Builder.OfVirtual ofVirtual() {
        return scheduler.builder();
    }

    /** For {@link Thread#threadId}: the same whenever a seed is played. */
    public static long threadId(Thread thread) {
        return scheduler == null ? 0 : scheduler.numberOf(thread);
    }

    /** For {@link Thread.Builder.OfVirtual#start}. */
    public static Thread start(Thread.Builder.OfVirtual builder, Runnable task) {
        Thread thread = unstarted(builder, task);
        thread.start();
        return thread;
    }

    /** For {@link Thread.Builder.OfVirtual#unstarted}. */
    public static Thread unstarted(Thread.Builder.OfVirtual builder, Runnable task) {
        return scheduler.adopt(builder.unstarted(task));
    }

    /** For {@link Thread.Builder.OfPlatform#unstarted}: a thread of the schedule all the same. */
    public static Thread unstarted(Thread.Builder.OfPlatform builder, Runnable task) {
        return unstarted(scheduler.builder().name("platform thread"), task);
    }

    /** For {@link java.util.concurrent.ScheduledThreadPoolExecutor#schedule}. */
    public static ScheduledFuture<?> schedule(
            ScheduledThreadPoolExecutor executor, Runnable task, long delay, TimeUnit unit) {
        return new AlarmTask(scheduler, task).in(unit.toNanos(delay));
    }

    /** For {@link java.util.concurrent.ScheduledThreadPoolExecutor#execute}. */
    public static void execute(ScheduledThreadPoolExecutor executor, Runnable task) {
        scheduler.adopt(scheduler.builder().name("retry").unstarted(task)).start();
    }

    /**
     * For {@link java.util.concurrent.ScheduledThreadPoolExecutor#prestartCoreThread}: each task
     * has a thread of its own.
     */
    public static boolean prestartCoreThread(ScheduledThreadPoolExecutor executor) {
        return false;
    }

    private static void mustBeInSchedule() {
        if (!inSchedule()) {
            throw new AssertionError("the scenario's own thread would wait");
        }
    }
}
