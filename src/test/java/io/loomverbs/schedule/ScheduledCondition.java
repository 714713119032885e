package io.loomverbs.schedule;

import java.util.ArrayDeque;
import java.util.Date;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;

/** A condition on virtual time. Its caller holds the lock, as always. */
final class ScheduledCondition implements Condition {
    private final ScheduledLock lock;
    private final ArrayDeque<Thread> waiting = new ArrayDeque<>();

    ScheduledCondition(ScheduledLock lock) {
        this.lock = lock;
    }

    @Override
    public long awaitNanos(long nanos) throws InterruptedException {
        return sleep(nanos);
    }

    @Override
    public void await() throws InterruptedException {
        sleep(Long.MAX_VALUE);
    }

    private long sleep(long nanos) throws InterruptedException {
        long start = SchedulePoint.nanoTime();
        Thread me = Thread.currentThread();
        waiting.add(me);
        lock.unlock();
        try {
            // Ends early at times, which a condition may do too.
            if (nanos >= VirtualClock.NEVER) {
                SchedulePoint.park(this);
            } else {
                SchedulePoint.parkNanos(this, nanos);
            }
        } finally {
            lock.lock();
            waiting.remove(me);
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        return nanos >= VirtualClock.NEVER ? nanos : nanos - (SchedulePoint.nanoTime() - start);
    }

    @Override
    public void signal() {
        LockSupport.unpark(waiting.poll());
    }

    @Override
    public void signalAll() {
        waiting.forEach(LockSupport::unpark);
        waiting.clear();
    }

    @Override
    public void awaitUninterruptibly() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean await(long time, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean awaitUntil(Date deadline) {
        throw new UnsupportedOperationException();
    }
}
