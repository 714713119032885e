package io.loomverbs;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * From raising an event on a platform thread to the virtual thread that waits for it, and back: the
 * handler answers by a volatile write, for which the raiser spins, and parks again.
 *
 * <p>The limit is a bare unpark; the usual way is a blocking queue of events.
 *
 * <p>Run: {@code mvn verify -Pjmh -Djmh.args="WakeBenchmark -prof gc -f 3 -wi 3 -w 1 -i 5 -r 1"}
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NonAtomicVolatileUpdate") // each such field has one writer
public class WakeBenchmark {

    /** A handler that counts what has reached it. */
    private abstract static class Handler {
        private final Thread thread = Thread.ofVirtual().unstarted(this::serve);
        private volatile long handled;
        private volatile boolean ended;

        abstract void await() throws InterruptedException;

        abstract void raise();

        final Thread thread() {
            return thread;
        }

        final long handled() {
            return handled;
        }

        private void serve() {
            try {
                while (!ended) {
                    await();
                    handled = handled + 1;
                }
            } catch (InterruptedException e) {
                // Asked to end.
            }
        }

        final long raiseAndWait() {
            long before = handled;
            raise();
            // Until it is parked again: a handler that is still up would need no waking.
            while (handled == before || thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            return before;
        }

        final Handler start() {
            thread.start();
            return this;
        }

        void end() throws InterruptedException {
            ended = true;
            thread.interrupt();
            thread.join();
        }
    }

    /** A CQ with direct delivery. */
    @State(Scope.Thread)
    public static class Direct {
        private Context context;
        private CompletionQueue cq;
        private Handler handler;

        @Setup
        public void start() {
            context = Verbs.device("soft0").open();
            cq = context.createDirectCq(1);
            handler =
                    new Handler() {
                        @Override
                        void await() throws InterruptedException {
                            cq.getCqEvent().close();
                        }

                        @Override
                        void raise() {
                            cq.listener().completionEvent();
                        }
                    }.start();
        }

        @TearDown
        public void end() throws InterruptedException {
            handler.end();
            cq.close();
            context.close();
        }
    }

    /** A thread that only parks. */
    @State(Scope.Thread)
    public static class Parked {
        private Handler handler;
        private volatile long raised;

        @Setup
        public void start() {
            handler =
                    new Handler() {
                        @Override
                        void await() throws InterruptedException {
                            while (raised == handled()) {
                                LockSupport.park(this);
                                if (Thread.interrupted()) {
                                    throw new InterruptedException();
                                }
                            }
                        }

                        @Override
                        void raise() {
                            raised = raised + 1;
                            LockSupport.unpark(thread());
                        }
                    }.start();
        }

        @TearDown
        public void end() throws InterruptedException {
            handler.end();
        }
    }

    private static Handler of(BlockingQueue<Object> queue) {
        Object event = new Object();
        return new Handler() {
            @Override
            void await() throws InterruptedException {
                queue.take();
            }

            @Override
            void raise() {
                queue.add(event);
            }
        }.start();
    }

    /** {@link LinkedTransferQueue}. */
    @State(Scope.Thread)
    public static class Transfer {
        private Handler handler;

        @Setup
        public void start() {
            handler = of(new LinkedTransferQueue<>());
        }

        @TearDown
        public void end() throws InterruptedException {
            handler.end();
        }
    }

    /** {@link LinkedBlockingQueue}. */
    @State(Scope.Thread)
    public static class Blocking {
        private Handler handler;

        @Setup
        public void start() {
            handler = of(new LinkedBlockingQueue<>());
        }

        @TearDown
        public void end() throws InterruptedException {
            handler.end();
        }
    }

    @Benchmark
    public long getCqEvent(Direct direct) {
        return direct.handler.raiseAndWait();
    }

    /** The limit. */
    @Benchmark
    public long unpark(Parked parked) {
        return parked.handler.raiseAndWait();
    }

    /** A usual way. */
    @Benchmark
    public long linkedTransferQueue(Transfer transfer) {
        return transfer.handler.raiseAndWait();
    }

    /** A usual way. */
    @Benchmark
    public long linkedBlockingQueue(Blocking blocking) {
        return blocking.handler.raiseAndWait();
    }
}
