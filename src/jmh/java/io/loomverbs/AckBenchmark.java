package io.loomverbs;

import io.loomverbs.internal.event.Ledger;
import io.loomverbs.peers.NativePeers;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Acknowledging one event of a CQ that has many: the acknowledgement alone.
 *
 * <p>All threads on one CQ, or each on its own. The limit is an atomic addition that checks
 * nothing. libibverbs takes a mutex and signals a condition: the real one, called in a C loop on a
 * CQ made by hand, and the same ported to Java.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AckBenchmark {
    /** More than an iteration can acknowledge, at 4 ns each, in 4 s. */
    private static final int PLENTY = (1 << 30) - 1;

    private static final int C_LOOP = 1000;
    private static final VarHandle LEDGER_WORD = word(Ledger.class, "word");

    private static VarHandle word(Class<?> type, String name) {
        try {
            MethodHandles.Lookup lookup =
                    MethodHandles.privateLookupIn(type, MethodHandles.lookup());
            return lookup.findVarHandle(type, name, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** A count of outstanding events, and nothing else. */
    @SuppressWarnings("UnusedVariable") // changed through the VarHandle
    static final class Counter {
        private static final VarHandle COUNT = word(Counter.class, "count");
        private volatile long count;
    }

    /** What libibverbs does, in Java. */
    @SuppressWarnings("UnusedVariable") // what counts is counting
    static final class LockedCounter {
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition acked = lock.newCondition();
        private long outstanding;

        void ack() {
            lock.lock();
            try {
                outstanding--;
                acked.signal();
            } finally {
                lock.unlock();
            }
        }
    }

    /** One of each, shared by all threads. */
    @State(Scope.Benchmark)
    public static class Shared {
        private final Context context = Verbs.device("soft0").open();
        private final CompletionQueue cq = context.createDirectCq(1);
        private final Counter counter = new Counter();
        private final LockedCounter locked = new LockedCounter();
        private final MemorySegment ibvCq = NativePeers.zeroedCq();

        @Setup(Level.Iteration)
        public void deliverPlenty() {
            refill(cq, counter, locked);
        }

        @TearDown
        public void close() {
            LEDGER_WORD.setVolatile(cq.ledger(), 0L);
            cq.close();
            context.close();
        }
    }

    private static void refill(CompletionQueue cq, Counter counter, LockedCounter locked) {
        LEDGER_WORD.setVolatile(cq.ledger(), (long) PLENTY << Integer.SIZE); // see there
        counter.count = PLENTY;
        locked.outstanding = PLENTY;
    }

    /** Only here, so that the others run where there is no gcc. */
    @State(Scope.Benchmark)
    public static class Libibverbs {
        private final NativePeers.AckLoop loop = new NativePeers().ackLoop();
    }

    @Param({"own", "shared"})
    public String of;

    private Context context;
    private CompletionQueue cq;
    private Counter counter;
    private LockedCounter locked;
    private MemorySegment ibvCq;

    @Setup
    public void choose(Shared shared) {
        if (of.equals("shared")) {
            cq = shared.cq;
            counter = shared.counter;
            locked = shared.locked;
            ibvCq = shared.ibvCq;
        } else {
            context = Verbs.device("soft0").open();
            cq = context.createDirectCq(1);
            counter = new Counter();
            locked = new LockedCounter();
            ibvCq = NativePeers.zeroedCq();
        }
    }

    @Setup(Level.Iteration)
    public void deliverPlenty() {
        if (context != null) {
            refill(cq, counter, locked);
        }
    }

    @TearDown
    public void close() {
        if (context != null) {
            LEDGER_WORD.setVolatile(cq.ledger(), 0L);
            cq.close();
            context.close();
        }
    }

    /** The public method. */
    @Benchmark
    public void ackEvents() {
        cq.ackEvents(1);
    }

    /** What it comes down to. */
    @Benchmark
    public int ledger() {
        return cq.ledger().tryAck(1);
    }

    /** The limit. */
    @Benchmark
    public long getAndAdd() {
        return (long) Counter.COUNT.getAndAdd(counter, -1L);
    }

    /**
     * The least that can refuse: to look, and to write if no other thread has written meanwhile.
     */
    @Benchmark
    public boolean compareAndSet() {
        long count;
        do {
            count = counter.count;
            if (count < 1) {
                return false;
            }
        } while (!Counter.COUNT.compareAndSet(counter, count, count - 1));
        return true;
    }

    /** What libibverbs does, in Java. */
    @Benchmark
    public void lockAndCondition() {
        locked.ack();
    }

    /** What libibverbs does. */
    @Benchmark
    @OperationsPerInvocation(C_LOOP)
    public void ibvAckCqEvents(Libibverbs verbs) {
        verbs.loop.run(ibvCq, C_LOOP);
    }
}
