package io.loomverbs.internal.event;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What an event costs in the ledger that all threads share: counted as delivered, acknowledged.
 *
 * <p>The limit is two bare atomic additions, which check nothing. The usual way is the one of
 * libibverbs, ported: a mutex and a condition.
 *
 * <p>Run: {@code for t in 1 2 4 8; do mvn verify -Pjmh -Djmh.args="AckBenchmark -t $t -f 3 -wi 3 -w
 * 1 -i 5 -r 1"; done}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AckBenchmark {
    private static final VarHandle COUNT;

    static {
        try {
            COUNT = MethodHandles.lookup().findVarHandle(AckBenchmark.class, "count", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Ledger ledger = new Ledger();

    private volatile long count;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition drained = lock.newCondition();
    private long outstanding;

    /** So that no acknowledgement is the last one, in all three. */
    @Setup
    public void holdOne() {
        ledger.tryDeliver();
        count = 1;
        outstanding = 1;
    }

    @Benchmark
    public int ledger() {
        ledger.tryDeliver();
        return ledger.tryAck(1);
    }

    /** The limit. */
    @Benchmark
    public long getAndAdd() {
        COUNT.getAndAdd(this, 1L);
        return (long) COUNT.getAndAdd(this, -1L);
    }

    /** The usual way. */
    @Benchmark
    public long lockAndCondition() {
        lock.lock();
        try {
            outstanding++;
        } finally {
            lock.unlock();
        }
        lock.lock();
        try {
            if (--outstanding == 0) {
                drained.signalAll();
            }
            return outstanding;
        } finally {
            lock.unlock();
        }
    }
}
