package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.FaultOps;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpOps;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleToLongFunction;
import java.util.function.UnaryOperator;

/** The faults of one context. */
final class SoftFaults implements FaultOps {
    private final SoftContext context;
    private final AtomicInteger queuePairs = new AtomicInteger();

    /** The requested faults. Under the lock of this object. */
    private FaultPlan wanted = FaultPlan.none(ThreadLocalRandom.current().nextLong());

    /** The same, or null if there is no fault. Written under the lock. */
    private volatile @Nullable FaultPlan plan;

    /** Written under the lock. */
    private volatile boolean lost;

    SoftFaults(SoftContext context) {
        this.context = context;
    }

    /** The faults there are now; null if there are none. */
    @Nullable FaultPlan plan() {
        return plan;
    }

    boolean isPortDown() {
        FaultPlan now = plan;
        return now != null && now.portDown();
    }

    boolean isDeviceLost() {
        return lost;
    }

    /** A number for a new queue pair: they count from 1 on in each context. */
    int nextQueuePair() {
        return queuePairs.incrementAndGet();
    }

    @Override
    public synchronized long seed() {
        return wanted.seed();
    }

    @Override
    public void seed(long seed) {
        change(old -> old.withSeed(seed));
    }

    @Override
    public void failSend(@Nullable QpOps qp, long nth, int status) {
        change(old -> old.with(new FaultPlan.Failure((SoftQp) qp, new AtomicLong(nth), status)));
    }

    @Override
    public void delay(@Nullable DoubleToLongFunction nanos) {
        change(old -> old.withDelay(nanos));
    }

    @Override
    public void lose(double probability) {
        change(old -> old.withLost(probability));
    }

    @Override
    public void rnr(double probability) {
        change(old -> old.withRnr(probability));
    }

    @Override
    public void clear() {
        change(old -> FaultPlan.none(old.seed()).withPortDown(old.portDown()));
    }

    @Override
    public void port(boolean up) {
        if (change(old -> old.withPortDown(!up)).portDown() == up) {
            int type = up ? Ibv.EVENT_PORT_ACTIVE : Ibv.EVENT_PORT_ERR;
            context.events.asyncEvent(type, SoftPort.NUMBER);
        }
    }

    /** Returns the previous value. */
    private synchronized FaultPlan change(UnaryOperator<FaultPlan> by) {
        FaultPlan before = wanted;
        FaultPlan now = by.apply(before);
        wanted = now;
        plan = now.isEmpty() ? null : now;
        return before;
    }

    @Override
    public int kill(QpOps qp, int status) {
        return ((SoftQp) qp).sq.kill(status);
    }

    @Override
    public int overrun(CqOps cq) {
        return ((SoftCq) cq).overrunNow();
    }

    @Override
    public void loseDevice() {
        synchronized (this) {
            if (lost) {
                return;
            }
            lost = true;
        }
        context.device.qps.forEach(
                qp -> {
                    if (qp.pd.faults == this) {
                        qp.vanish();
                    }
                });
        context.cqs.all().forEach(SoftCq::lose);
        context.events.asyncEvent(Ibv.EVENT_DEVICE_FATAL, 0);
    }

    /** Refuses to create or query something if the device is gone. */
    void checkDevice() {
        if (lost) {
            throw new DeviceException(Errno.EIO, context.device.name() + " was lost");
        }
    }
}
