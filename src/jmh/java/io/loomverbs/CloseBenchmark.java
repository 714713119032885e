package io.loomverbs;

import io.loomverbs.internal.device.CqListener;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Closing a CQ while a thread acknowledges, one by one, the events that it has received; and
 * creating and closing one. Beside it what libibverbs does: a mutex, a condition and two counters.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CloseBenchmark {
    /** A CQ with events received, and a thread that acknowledges them once the close has begun. */
    @State(Scope.Thread)
    public static class Outstanding {
        @Param({"0", "1", "1000"})
        public int events;

        private Context context;
        private CompletionQueue cq;
        private Thread acker;

        @Setup
        public void open() {
            context = Verbs.device("soft0").open();
        }

        @Setup(Level.Invocation)
        public void receive() {
            cq = context.createDirectCq(1);
            CqListener device = cq.listener();
            for (int i = 0; i < events; i++) {
                device.completionEvent();
                cq.tryGetCqEvent();
            }
            if (events > 0) {
                acker = Thread.ofPlatform().start(this::ack);
            }
        }

        private void ack() {
            while (!cq.ledger().isClosing()) {
                Thread.onSpinWait();
            }
            for (int i = 0; i < events; i++) {
                cq.ackEvents(1);
            }
        }

        @TearDown(Level.Invocation)
        public void join() throws InterruptedException {
            if (events > 0) {
                acker.join();
            }
        }

        @TearDown
        public void close() {
            context.close();
        }
    }

    /** The same with a lock and a condition. */
    @State(Scope.Thread)
    public static class Locked {
        @Param({"0", "1", "1000"})
        public int events;

        private final ReentrantLock lock = new ReentrantLock();
        private final Condition acked = lock.newCondition();
        private int completed;
        private volatile boolean closing;
        private Thread acker;

        @Setup(Level.Invocation)
        public void receive() {
            completed = 0;
            closing = false;
            if (events > 0) {
                acker = Thread.ofPlatform().start(this::ack);
            }
        }

        private void ack() {
            while (!closing) {
                Thread.onSpinWait();
            }
            for (int i = 0; i < events; i++) {
                lock.lock();
                try {
                    completed++;
                    acked.signal();
                } finally {
                    lock.unlock();
                }
            }
        }

        final void close() {
            closing = true;
            lock.lock();
            try {
                while (completed < events) {
                    acked.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        @TearDown(Level.Invocation)
        public void join() throws InterruptedException {
            if (events > 0) {
                acker.join();
            }
        }
    }

    /** An open device. */
    @State(Scope.Thread)
    public static class Device {
        private Context context;

        @Setup
        public void open() {
            context = Verbs.device("soft0").open();
        }

        @TearDown
        public void close() {
            context.close();
        }
    }

    @Benchmark
    public void close(Outstanding outstanding) {
        outstanding.cq.close();
    }

    /** The usual way. */
    @Benchmark
    public void lockAndCondition(Locked locked) {
        locked.close();
    }

    @Benchmark
    public void createAndClose(Device device) {
        device.context.createDirectCq(1).close();
    }
}
