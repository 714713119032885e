package io.loomverbs;

import io.loomverbs.tools.storm.Heap;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * What an idle handler holds of the heap, and of the memory of the process. The time of a round is
 * no figure; what counts are the counters.
 *
 * <p>The first rounds let the code be compiled: frames that are not are larger.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 4)
@Measurement(iterations = 1)
public class MemoryBenchmark {
    private static final int MANY = 20_000;
    private static final int THREADS = 2_000;
    private static final int PAGE = 4096;

    /** What was measured. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Bytes {
        public double heapBytesEach;

        /** Tells something of platform threads alone, whose stacks are not on the heap. */
        public double processBytesEach;
    }

    /** How to make one, and to let go of all. */
    private interface Kind {
        Object make() throws InterruptedException;

        /** Lets each do its work once. */
        void wake(Object made);

        Thread thread(Object made);

        void close();
    }

    private static void measure(Kind kind, int count, Bytes bytes) throws InterruptedException {
        long heap = Heap.usedBytes();
        long process = residentBytes();
        List<Object> made = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            made.add(kind.make());
        }
        for (Object one : made) {
            Thread thread = kind.thread(one);
            if (thread != null) {
                untilWaiting(thread);
                kind.wake(one);
                untilWaiting(thread);
            }
        }
        bytes.heapBytesEach = (double) (Heap.usedBytes() - heap) / count;
        bytes.processBytesEach = (double) (residentBytes() - process) / count;
        List<Thread> threads = new ArrayList<>();
        for (Object one : made) {
            Thread thread = kind.thread(one);
            if (thread != null) {
                threads.add(thread);
                thread.interrupt();
            }
        }
        for (Thread thread : threads) {
            thread.join();
        }
        kind.close();
    }

    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but speed
    private static void untilWaiting(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            Thread.yield();
        }
    }

    private static long residentBytes() {
        try {
            return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ", -1)[1])
                    * PAGE;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A CQ that no thread waits for, and one that is served, on a virtual or a platform thread. */
    private static final class Cqs implements Kind {
        private final Context context = Verbs.device("soft0").open();
        private final List<CompletionQueue> cqs = new ArrayList<>();
        private final boolean served;

        private record Served(CompletionQueue cq, Thread thread) {}

        Cqs(boolean served) {
            this.served = served;
        }

        @Override
        public Object make() {
            CompletionQueue cq = context.createDirectCq(1);
            cqs.add(cq);
            return new Served(cq, served ? cq.serve(batch -> {}).threads().getFirst() : null);
        }

        @Override
        public void wake(Object made) {
            ((Served) made).cq.listener().completionEvent();
        }

        @Override
        public Thread thread(Object made) {
            return ((Served) made).thread;
        }

        @Override
        public void close() {
            cqs.forEach(CompletionQueue::close);
            context.close();
        }
    }

    /** A thread that takes from a queue of its own, or only parks. */
    private record Queues(Thread.Builder builder, boolean queue) implements Kind {
        private record Taking(Thread thread, LinkedBlockingQueue<Object> queue) {}

        @Override
        public Object make() {
            if (!queue) {
                return new Taking(builder.start(Queues::park), null);
            }
            LinkedBlockingQueue<Object> of = new LinkedBlockingQueue<>();
            return new Taking(builder.start(() -> take(of)), of);
        }

        private static void park() {
            while (!Thread.interrupted()) {
                LockSupport.park();
            }
        }

        private static void take(LinkedBlockingQueue<Object> queue) {
            try {
                for (; ; ) {
                    queue.take();
                }
            } catch (InterruptedException e) {
                // Asked to end.
            }
        }

        @Override
        public void wake(Object made) {
            Taking taking = (Taking) made;
            if (queue) {
                taking.queue.add(made);
            } else {
                LockSupport.unpark(taking.thread);
            }
        }

        @Override
        public Thread thread(Object made) {
            return ((Taking) made).thread;
        }

        @Override
        public void close() {}
    }

    /** CQ, virtual thread, batch: what {@code serve} makes. */
    @Benchmark
    public void servedCq(Bytes bytes) throws InterruptedException {
        measure(new Cqs(true), MANY, bytes);
    }

    /** The CQ alone. */
    @Benchmark
    public void cq(Bytes bytes) throws InterruptedException {
        measure(new Cqs(false), MANY, bytes);
    }

    /** The limit: a virtual thread that only parks. */
    @Benchmark
    public void parkedThread(Bytes bytes) throws InterruptedException {
        measure(new Queues(Thread.ofVirtual(), false), MANY, bytes);
    }

    /** A usual way. */
    @Benchmark
    public void queueEach(Bytes bytes) throws InterruptedException {
        measure(new Queues(Thread.ofVirtual(), true), MANY, bytes);
    }

    /**
     * A usual way; fewer of them, because they are large. In a fresh JVM: stacks that were touched
     * once stay with the process.
     */
    @Benchmark
    @Warmup(iterations = 0)
    public void threadEach(Bytes bytes) throws InterruptedException {
        measure(new Queues(Thread.ofPlatform(), true), THREADS, bytes);
    }
}
