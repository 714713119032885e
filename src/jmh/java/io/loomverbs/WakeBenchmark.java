package io.loomverbs;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.peers.NativePeers;

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

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * From an event that comes up, on a platform thread, to the handler that runs: its first act is a
 * volatile write, for which the raiser spins. So each figure has in it a cache line that goes from
 * one CPU to the other.
 *
 * <p>Hot: raised again as soon as the handler has parked (or, where it blocks in the kernel and
 * nobody can see it, after 3 us). Idle: after 1 ms of silence, when the CPU has gone to sleep.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class WakeBenchmark {
    private static final long BLOCK_NANOS = 3_000;
    private static final long IDLE_NANOS = 1_000_000;

    /** Who waits: counts what has reached it. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // written by the handler alone
    abstract static class Handler {
        private final Thread thread;
        private volatile long handled;
        private volatile boolean ended;
        private volatile Throwable failure;

        Handler(Thread.Builder builder) {
            thread = builder.unstarted(this::serve);
        }

        abstract void await() throws InterruptedException;

        abstract void raise();

        /** Ends {@link #await}; interrupts, unless it is said otherwise. */
        void stop() {
            thread.interrupt();
        }

        boolean blocksUnseen() {
            return false;
        }

        final Thread thread() {
            return thread;
        }

        final long handled() {
            return handled;
        }

        final void handle() {
            handled = handled + 1;
        }

        void serve() {
            try {
                while (!ended) {
                    await();
                    handle();
                }
            } catch (InterruptedException | ClosedException e) {
                // Asked to end.
            } catch (Throwable e) {
                failure = e;
            }
        }

        final boolean ended() {
            return ended;
        }

        final Handler start() {
            thread.start();
            return this;
        }

        final void untilBlocked() {
            if (blocksUnseen()) {
                long start = System.nanoTime();
                while (System.nanoTime() - start < BLOCK_NANOS) {
                    Thread.onSpinWait();
                }
                return;
            }
            while (thread.getState() != Thread.State.WAITING) {
                if (!thread.isAlive()) {
                    throw new IllegalStateException("the handler has ended", failure);
                }
                Thread.onSpinWait();
            }
        }

        final long raiseAndSpin() {
            long before = handled;
            raise();
            while (handled == before) {
                Thread.onSpinWait();
            }
            return before;
        }

        final void end() throws InterruptedException {
            ended = true;
            stop();
            thread.join();
        }
    }

    /** A virtual thread that only parks. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // written by the raiser alone
    static final class Parked extends Handler {
        private volatile long raised;

        Parked() {
            super(Thread.ofVirtual());
        }

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
    }

    /** One that waits for a CQ with direct delivery. */
    static final class Direct extends Handler {
        private final CompletionQueue cq;
        private final CqListener device;

        Direct(CompletionQueue cq) {
            super(Thread.ofVirtual());
            this.cq = cq;
            this.device = cq.listener();
        }

        @Override
        void await() throws InterruptedException {
            cq.getCqEvent().close();
        }

        @Override
        void raise() {
            device.completionEvent();
        }
    }

    /** One that waits at the channel of a CQ. */
    static final class OnChannel extends Handler {
        private final CompletionChannel channel;
        private final CqListener device;

        OnChannel(CompletionChannel channel, CompletionQueue cq) {
            super(Thread.ofVirtual());
            this.channel = channel;
            this.device = cq.listener();
        }

        @Override
        void await() throws InterruptedException {
            channel.getCqEvent().close();
        }

        @Override
        void raise() {
            device.completionEvent();
        }
    }

    /** A virtual thread that takes from a queue. */
    static final class Transfer extends Handler {
        private final LinkedTransferQueue<Object> queue = new LinkedTransferQueue<>();

        Transfer() {
            super(Thread.ofVirtual());
        }

        @Override
        void await() throws InterruptedException {
            queue.take();
        }

        @Override
        void raise() {
            queue.add(this);
        }
    }

    /** A platform thread that runs callbacks, one after the other. */
    static final class Dispatcher extends Handler {
        private final LinkedTransferQueue<Runnable> callbacks = new LinkedTransferQueue<>();
        private final Runnable callback = this::handle;

        Dispatcher() {
            super(Thread.ofPlatform());
        }

        @Override
        void await() throws InterruptedException {
            callbacks.take().run();
        }

        @Override
        void serve() {
            try {
                while (!ended()) {
                    await();
                }
            } catch (InterruptedException e) {
                // Asked to end.
            }
        }

        @Override
        void raise() {
            callbacks.add(callback);
        }
    }

    /** A platform thread of Java that blocks in read(2). */
    static final class Reader extends Handler {
        private final NativePeers.Pipe pipe = new NativePeers.Pipe();

        Reader() {
            super(Thread.ofPlatform());
        }

        @Override
        void await() throws InterruptedException {
            if (!pipe.read()) {
                throw new InterruptedException("end of the pipe");
            }
        }

        @Override
        void raise() {
            pipe.write();
        }

        @Override
        void stop() {
            pipe.closeWriter();
        }

        @Override
        boolean blocksUnseen() {
            return true;
        }
    }

    @Param({"hot", "idle"})
    public String after;

    private boolean idle;

    @Setup
    public void decide() {
        idle = after.equals("idle");
    }

    private static void silence(boolean idle) {
        if (idle) {
            LockSupport.parkNanos(IDLE_NANOS);
        }
    }

    /** Some handlers, and which is next. */
    abstract static class Crowd {
        private final List<Handler> handlers = new ArrayList<>();
        private final SplittableRandom random = new SplittableRandom(1);
        private Handler next;

        final void add(Handler handler) {
            handlers.add(handler.start());
        }

        final void prepare(boolean idle) {
            next = handlers.size() == 1 ? handlers.get(0) : any();
            next.untilBlocked();
            silence(idle);
        }

        final long raiseAndSpin() {
            return next.raiseAndSpin();
        }

        private Handler any() {
            return handlers.get(random.nextInt(handlers.size()));
        }

        void end() throws InterruptedException {
            for (Handler handler : handlers) {
                handler.end();
            }
        }
    }

    /** {@link Direct}. */
    @State(Scope.Thread)
    public static class DirectCrowd extends Crowd {
        @Param({"1", "10", "10000"})
        public int cqs;

        private final Context context = Verbs.device("soft0").open();
        private final List<CompletionQueue> created = new ArrayList<>();

        @Setup
        public void start() {
            for (int i = 0; i < cqs; i++) {
                CompletionQueue cq = context.createDirectCq(1);
                created.add(cq);
                add(new Direct(cq));
            }
        }

        @Setup(Level.Invocation)
        public void prepare(WakeBenchmark wake) {
            prepare(wake.idle);
        }

        @TearDown
        public void close() throws InterruptedException {
            end();
            created.forEach(CompletionQueue::close);
            context.close();
        }
    }

    /** {@link Parked}. */
    @State(Scope.Thread)
    public static class ParkedCrowd extends Crowd {
        @Param({"1", "10", "10000"})
        public int cqs;

        @Setup
        public void start() {
            for (int i = 0; i < cqs; i++) {
                add(new Parked());
            }
        }

        @Setup(Level.Invocation)
        public void prepare(WakeBenchmark wake) {
            prepare(wake.idle);
        }

        @TearDown
        public void close() throws InterruptedException {
            end();
        }
    }

    /** One handler of another kind. */
    abstract static class One extends Crowd {
        @Setup(Level.Invocation)
        public final void prepare(WakeBenchmark wake) {
            prepare(wake.idle);
        }

        @TearDown
        public final void close() throws InterruptedException {
            end();
            closeRest();
        }

        void closeRest() {}
    }

    /** {@link OnChannel}. */
    @State(Scope.Thread)
    public static class ChannelOne extends One {
        private final Context context = Verbs.device("soft0").open();
        private final CompletionChannel channel = context.createCompChannel();
        private final CompletionQueue cq = context.createCq(1, null, channel, 0);

        @Setup
        public void start() {
            add(new OnChannel(channel, cq));
        }

        @Override
        void closeRest() {
            cq.close();
            channel.close();
            context.close();
        }
    }

    /** {@link Transfer}. */
    @State(Scope.Thread)
    public static class TransferOne extends One {
        @Setup
        public void start() {
            add(new Transfer());
        }
    }

    /** {@link Dispatcher}. */
    @State(Scope.Thread)
    public static class DispatcherOne extends One {
        @Setup
        public void start() {
            add(new Dispatcher());
        }
    }

    /** {@link Reader}. */
    @State(Scope.Thread)
    public static class ReaderOne extends One {
        @Setup
        public void start() {
            add(new Reader());
        }
    }

    /** A thread in C that blocks in read(2), woken by C. */
    @State(Scope.Thread)
    public static class ReaderInC {
        private final NativePeers.Waker waker = new NativePeers().startWaker();

        @Setup(Level.Invocation)
        public void prepare(WakeBenchmark wake) {
            long start = System.nanoTime();
            while (System.nanoTime() - start < BLOCK_NANOS) {
                Thread.onSpinWait();
            }
            silence(wake.idle);
        }

        @TearDown
        public void close() {
            waker.close();
        }
    }

    @Benchmark
    public long direct(DirectCrowd crowd) {
        return crowd.raiseAndSpin();
    }

    @Benchmark
    public long channel(ChannelOne one) {
        return one.raiseAndSpin();
    }

    /** The limit. */
    @Benchmark
    public long unpark(ParkedCrowd crowd) {
        return crowd.raiseAndSpin();
    }

    @Benchmark
    public long linkedTransferQueue(TransferOne one) {
        return one.raiseAndSpin();
    }

    @Benchmark
    public long dispatcher(DispatcherOne one) {
        return one.raiseAndSpin();
    }

    /** A thread a channel, as one does it without poller. */
    @Benchmark
    public long readInJava(ReaderOne one) {
        return one.raiseAndSpin();
    }

    /** The same in C. */
    @Benchmark
    public void readInC(ReaderInC reader) {
        reader.waker.raiseAndSpin();
    }
}
