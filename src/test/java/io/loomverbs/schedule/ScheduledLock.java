package io.loomverbs.schedule;

import java.io.Serial;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** What the rewritten classes use for a {@link ReentrantLock}: with scheduling points. */
public final class ScheduledLock extends ReentrantLock {
    @Serial private static final long serialVersionUID = 1L;

    /** For {@code new ReentrantLock()}. */
    public ScheduledLock() {}

    @Override
    public void lock() {
        SchedulePoint.point();
        super.lock();
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        SchedulePoint.point();
        super.lockInterruptibly();
    }

    @Override
    public void unlock() {
        SchedulePoint.point();
        super.unlock();
    }

    @Override
    public Condition newCondition() {
        return new ScheduledCondition(this);
    }
}
