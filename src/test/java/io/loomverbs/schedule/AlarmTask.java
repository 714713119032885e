package io.loomverbs.schedule;

import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A task of the retry thread of soft0: when its time has come, it gets a thread of its own. */
final class AlarmTask extends FutureTask<Void> implements ScheduledFuture<Void> {
    private final SeededScheduler scheduler;
    private VirtualClock.Alarm alarm;

    AlarmTask(SeededScheduler scheduler, Runnable task) {
        super(task, null);
        this.scheduler = scheduler;
    }

    AlarmTask in(long nanos) {
        alarm = scheduler.clock.in(nanos, this::start);
        return this;
    }

    private void start() {
        scheduler.adopt(scheduler.builder().name("alarm").unstarted(this)).start();
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        scheduler.clock.cancel(alarm);
        return super.cancel(mayInterruptIfRunning);
    }

    @Override
    public long getDelay(TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int compareTo(Delayed other) {
        throw new UnsupportedOperationException();
    }
}
