package io.loomverbs;

import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

/**
 * Posting and polling on soft0, all on one thread: a batch of messages from one half of a region to
 * the other, and their completions.
 *
 * <p>The limit is a copy of the same bytes. Agrona's ring carries messages between threads without
 * queue pairs, keys and completions; here it is written and read by one thread too. One operation
 * is one batch.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(jvmArgsAppend = "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED")
public class VerbsBenchmark {
    private static final int DEPTH = 64;
    private static final int RING = 1 << 22;

    @Param({"64", "4096", "65536"})
    public int size;

    @Param({"1", "16"})
    public int batch;

    private Context context;
    private ProtectionDomain pd;
    private MemoryRegion memory;
    private CompletionQueue cq;
    private QueuePair qp;
    private SendWorkRequest[] sends;
    private SendWorkRequest[] writes;
    private SendWorkRequest[] reads;
    private RecvWorkRequest[] recvs;
    private WorkCompletions completions;

    private MemorySegment source;
    private MemorySegment target;
    private UnsafeBuffer ringSource;
    private UnsafeBuffer ringTarget;
    private OneToOneRingBuffer ring;
    private MessageHandler reader;
    private int received;

    @Setup
    public void connect() {
        context = Verbs.device("soft0").open();
        pd = context.allocPd();
        memory =
                pd.allocateMr(
                        2L * size, Access.LOCAL_WRITE, Access.REMOTE_WRITE, Access.REMOTE_READ);
        cq = context.createDirectCq(2 * DEPTH);
        qp = pd.createQp(QpConfig.of(QpType.RC, cq));
        qp.connect(
                qp.endpoint(),
                QpAttributes.builder()
                        .access(Access.LOCAL_WRITE, Access.REMOTE_WRITE, Access.REMOTE_READ)
                        .build());
        long half = memory.address() + size;
        sends = new SendWorkRequest[batch];
        writes = new SendWorkRequest[batch];
        reads = new SendWorkRequest[batch];
        recvs = new RecvWorkRequest[batch];
        for (int i = 0; i < batch; i++) {
            sends[i] = SendWorkRequest.allocate(1, 0).send().sge(memory, 0, size).signaled();
            writes[i] =
                    SendWorkRequest.allocate(1, 0)
                            .rdmaWrite(half, memory.rkey())
                            .sge(memory, 0, size)
                            .signaled();
            reads[i] =
                    SendWorkRequest.allocate(1, 0)
                            .rdmaRead(half, memory.rkey())
                            .sge(memory, 0, size)
                            .signaled();
            recvs[i] = RecvWorkRequest.allocate(1).sge(memory, size, size);
        }
        completions = WorkCompletions.allocate(2 * DEPTH);
        source = memory.memory().asSlice(0, size);
        target = memory.memory().asSlice(size, size);
        ringSource = new UnsafeBuffer(source.asByteBuffer());
        ringTarget = new UnsafeBuffer(target.asByteBuffer());
        ring =
                new OneToOneRingBuffer(
                        new UnsafeBuffer(
                                ByteBuffer.allocateDirect(
                                        RING + RingBufferDescriptor.TRAILER_LENGTH)));
        reader =
                (type, buffer, index, length) -> {
                    ringTarget.putBytes(0, buffer, index, length);
                    received++;
                };
    }

    @TearDown
    public void close() {
        qp.close();
        cq.close();
        memory.close();
        pd.close();
        context.close();
    }

    private int poll(int expected) {
        int n = 0;
        while (n < expected) {
            n += cq.poll(completions);
        }
        return n;
    }

    /** Receives and sends. */
    @Benchmark
    public int sendRecv() {
        for (RecvWorkRequest recv : recvs) {
            qp.postRecv(recv);
        }
        for (SendWorkRequest send : sends) {
            qp.postSend(send);
        }
        return poll(2 * batch);
    }

    @Benchmark
    public int write() {
        for (SendWorkRequest write : writes) {
            qp.postSend(write);
        }
        return poll(batch);
    }

    @Benchmark
    public int read() {
        for (SendWorkRequest read : reads) {
            qp.postSend(read);
        }
        return poll(batch);
    }

    /** The limit. */
    @Benchmark
    public void copy() {
        for (int i = 0; i < batch; i++) {
            target.copyFrom(source);
        }
    }

    /** Agrona: copies in, and out again. */
    @Benchmark
    public int agronaRing() {
        received = 0;
        for (int i = 0; i < batch; i++) {
            if (!ring.write(1, ringSource, 0, size)) {
                throw new IllegalStateException("the ring is full");
            }
        }
        while (received < batch) {
            ring.read(reader);
        }
        return received;
    }
}
