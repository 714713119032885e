package io.loomverbs;

import io.loomverbs.WokenHandlers.Direct;
import io.loomverbs.WokenHandlers.Dispatcher;
import io.loomverbs.WokenHandlers.Handler;
import io.loomverbs.WokenHandlers.JdkPipe;
import io.loomverbs.WokenHandlers.OnChannel;
import io.loomverbs.WokenHandlers.OnFd;
import io.loomverbs.WokenHandlers.Parked;
import io.loomverbs.WokenHandlers.Reader;
import io.loomverbs.WokenHandlers.Transfer;
import io.loomverbs.internal.ibverbs.PipedDevice;
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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * From an event that comes up, on a platform thread, to the handler that runs: its first act is a
 * volatile write, for which the raiser spins. So each figure has in it a cache line that goes from
 * one CPU to the other.
 *
 * <p>Hot: raised again as soon as the handler has parked (or, where it blocks in the kernel and no
 * thread can see it, after 10 us). Idle: after 1 ms of silence, when the CPU has gone to sleep.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class WakeBenchmark {
    private static final long IDLE_NANOS = 1_000_000;

    /** With silence between them, iterations alone would not have the code compiled. */
    private static final int WARM_UPS = 20_000;

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
        private int warmUps = WARM_UPS;

        final void add(Handler handler) {
            handlers.add(handler.start());
        }

        final void prepare(boolean idle) {
            for (; warmUps > 0; warmUps--) {
                next = any();
                next.untilBlocked();
                next.raiseAndSpin();
            }
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

    /** {@link JdkPipe}. */
    @State(Scope.Thread)
    public static class JdkPipeOne extends One {
        @Setup
        public void start() {
            add(new JdkPipe());
        }
    }

    /** {@link OnFd}; the first waiter waits in the kernel for all. */
    abstract static class Fd extends One {
        private final PipedDevice device;
        private final Context context;
        private final CompletionChannel channel;
        private CompletionQueue cq;

        Fd(boolean threadLeads) {
            device = new PipedDevice(threadLeads);
            context = new Device(device).open();
            channel = context.createCompChannel();
        }

        final void addOnChannel(Thread.Builder builder) {
            cq = context.createCq(1, null, channel, 0);
            add(new OnFd(builder, channel, cq, device.last()));
        }

        final void addDirect() {
            cq = context.createDirectCq(1, null, channel, 0);
            add(new OnFd(Thread.ofVirtual(), null, cq, device.last()));
        }

        @Override
        void closeRest() {
            cq.close();
            channel.close();
            context.close();
        }
    }

    /** A virtual thread that leads. */
    @State(Scope.Thread)
    public static class FdChannelOne extends Fd {
        public FdChannelOne() {
            super(false);
        }

        @Setup
        public void start() {
            addOnChannel(Thread.ofVirtual());
        }
    }

    /** The same, with direct delivery. */
    @State(Scope.Thread)
    public static class FdDirectOne extends Fd {
        public FdDirectOne() {
            super(false);
        }

        @Setup
        public void start() {
            addDirect();
        }
    }

    /** A platform thread that leads. */
    @State(Scope.Thread)
    public static class FdPlatformOne extends Fd {
        public FdPlatformOne() {
            super(false);
        }

        @Setup
        public void start() {
            addOnChannel(Thread.ofPlatform());
        }
    }

    /** A virtual thread, and a platform thread that leads. */
    @State(Scope.Thread)
    public static class FdPollerThreadOne extends Fd {
        public FdPollerThreadOne() {
            super(true);
        }

        @Setup
        public void start() {
            addOnChannel(Thread.ofVirtual());
        }
    }

    /** A thread in C that waits in the kernel, woken by C. */
    abstract static class InC {
        private final NativePeers.Waker waker;

        InC(boolean inEpoll) {
            waker = new NativePeers().startWaker(inEpoll);
        }

        @Setup(Level.Invocation)
        public void prepare(WakeBenchmark wake) {
            WokenHandlers.letBlock();
            silence(wake.idle);
        }

        final void raiseAndSpin() {
            waker.raiseAndSpin();
        }

        @TearDown
        public void close() {
            waker.close();
        }
    }

    /** In read(2). */
    @State(Scope.Thread)
    public static class ReaderInC extends InC {
        public ReaderInC() {
            super(false);
        }
    }

    /** In epoll_wait(2), and then it reads. */
    @State(Scope.Thread)
    public static class EpollInC extends InC {
        public EpollInC() {
            super(true);
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

    @Benchmark
    public long fdChannel(FdChannelOne one) {
        return one.raiseAndSpin();
    }

    @Benchmark
    public long fdDirect(FdDirectOne one) {
        return one.raiseAndSpin();
    }

    @Benchmark
    public long fdPlatformThread(FdPlatformOne one) {
        return one.raiseAndSpin();
    }

    /** Two hops: where virtual threads cannot lead. */
    @Benchmark
    public long fdPollerThread(FdPollerThreadOne one) {
        return one.raiseAndSpin();
    }

    /** The JDK's own poller. */
    @Benchmark
    public long fdJdkPipe(JdkPipeOne one) {
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
        reader.raiseAndSpin();
    }

    /** What a poller that waits for many descriptors at once cannot do without. */
    @Benchmark
    public void epollInC(EpollInC reader) {
        reader.raiseAndSpin();
    }
}
