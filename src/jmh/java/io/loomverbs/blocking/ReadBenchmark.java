package io.loomverbs.blocking;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletions;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.util.concurrent.TimeUnit;

/** A READ of 64 bytes on soft0, by one thread: posted and polled by hand, and blocking. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ReadBenchmark {
    private static final int BYTES = 64;

    private Context context;
    private ProtectionDomain pd;
    private MemoryRegion memory;
    private CompletionQueue cq;
    private QueuePair qp;
    private QueuePair byHandQp;
    private CompletionQueue byHandCq;
    private final SendWorkRequest wr = SendWorkRequest.allocate(1, 0);
    private final WorkCompletions batch = WorkCompletions.allocate(16);
    private Requests requests;
    private Buffer to;
    private RemoteRegion from;

    /** Connects two queue pairs, each to itself. */
    @Setup
    public void connect() {
        context = Verbs.device("soft0").open();
        pd = context.allocPd();
        memory = pd.allocateMr(2 * BYTES, Access.LOCAL_WRITE, Access.REMOTE_READ);
        cq = context.createDirectCq(16);
        byHandCq = context.createDirectCq(16);
        qp = connected(cq);
        byHandQp = connected(byHandCq);
        requests = Requests.over(qp);
        to = Buffer.of(memory, 0, BYTES);
        from = RemoteRegion.of(memory).slice(BYTES, BYTES);
    }

    private QueuePair connected(CompletionQueue on) {
        QueuePair made = pd.createQp(QpConfig.of(QpType.RC, on).withWr(16, 0));
        made.connect(made.endpoint(), QpAttributes.builder().access(Access.REMOTE_READ).build());
        return made;
    }

    @TearDown
    public void close() {
        requests.close();
        qp.close();
        byHandQp.close();
        cq.close();
        byHandCq.close();
        memory.close();
        pd.close();
        context.close();
    }

    /** Describes, posts and polls. */
    @Benchmark
    public int byHand() {
        byHandQp.postSend(
                wr.clear()
                        .wrId(7)
                        .rdmaRead(from.address(), from.rkey())
                        .sge(memory, 0, BYTES)
                        .signaled());
        while (byHandCq.poll(batch) == 0) {
            Thread.onSpinWait();
        }
        if (!batch.isSuccess(0)) {
            throw new AssertionError(batch.get(0));
        }
        return batch.byteLen(0);
    }

    /** The blocking call. */
    @Benchmark
    public Buffer blocking() throws InterruptedException {
        requests.read(from, to);
        return to;
    }
}
