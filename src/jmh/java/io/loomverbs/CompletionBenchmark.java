package io.loomverbs;

import io.loomverbs.internal.device.CqListener;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.util.concurrent.TimeUnit;

/**
 * What each step costs on {@code soft0}, and that it allocates nothing: with {@code -prof gc},
 * every {@code gc.alloc.rate.norm} is to be 0 bytes, and that of {@code getCqEvent} at most 32.
 *
 * <p>The queue pair sends to itself, within the call of {@code postSend}. What has to be cleared
 * away to go round again is part of a figure, and named.
 *
 * <p>Run: {@code mvn verify -Pjmh -Djmh.args="CompletionBenchmark -prof gc -f 3 -wi 3 -w 1 -i 5 -r
 * 1"}
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CompletionBenchmark {
    private static final int MESSAGE = 64;

    private Context context;
    private ProtectionDomain pd;
    private MemoryRegion memory;
    private CompletionQueue cq;
    private CompletionQueue eventCq;
    private CqListener eventDevice;
    private QueuePair qp;
    private SendWorkRequest send;
    private SendWorkRequest unsignaled;
    private RecvWorkRequest recv;
    private WorkCompletions batch;

    @Setup
    public void connect() {
        context = Verbs.device("soft0").open();
        pd = context.allocPd();
        memory = pd.allocateMr(2 * MESSAGE, Access.LOCAL_WRITE, Access.REMOTE_WRITE);
        cq = context.createDirectCq(64);
        eventCq = context.createDirectCq(1);
        eventDevice = eventCq.listener();
        qp = pd.createQp(QpConfig.of(QpType.RC, cq));
        qp.connect(
                qp.endpoint(),
                QpAttributes.builder().access(Access.LOCAL_WRITE, Access.REMOTE_WRITE).build());
        send = SendWorkRequest.allocate(1, 0).send().sge(memory, 0, MESSAGE).signaled();
        unsignaled =
                SendWorkRequest.allocate(1, 0)
                        .rdmaWrite(memory.address() + MESSAGE, memory.rkey())
                        .sge(memory, 0, MESSAGE);
        recv = RecvWorkRequest.allocate(1).sge(memory, MESSAGE, MESSAGE);
        batch = WorkCompletions.allocate(8);
    }

    @TearDown
    public void close() {
        qp.close();
        cq.close();
        eventCq.close();
        memory.close();
        pd.close();
        context.close();
    }

    /** Nothing is there. */
    @Benchmark
    public int pollEmpty() {
        return cq.poll(batch);
    }

    @Benchmark
    public void reqNotify() {
        cq.reqNotify(false);
    }

    /** An unsignaled RDMA write of 64 bytes, which completes silently. */
    @Benchmark
    public void postSendWrite() {
        qp.postSend(unsignaled);
    }

    /** A message of 64 bytes to itself: receive and send posted, both completions polled. */
    @Benchmark
    public int postRecvPostSendPoll() {
        qp.postRecv(recv);
        qp.postSend(send);
        int n = 0;
        while (n < 2) {
            n += cq.poll(batch);
        }
        return n;
    }

    /** An event comes up, is received and is acknowledged by count. */
    @Benchmark
    public CompletionQueue raiseGetCqEventAck() {
        eventDevice.completionEvent();
        CqEvent event = eventCq.tryGetCqEvent();
        CompletionQueue of = event.cq();
        event.close();
        return of;
    }
}
