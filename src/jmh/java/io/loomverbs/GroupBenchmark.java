package io.loomverbs;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.util.concurrent.TimeUnit;

/**
 * What a wait for a group of CQs costs on {@code soft0}, if one of them is ready at a time: a
 * completion of a CQ that is idle and armed, from the post to the return of {@code await}. The bar:
 * with 10,000 CQs at most 1.5 times that of 10.
 *
 * <p>{@link GroupCost} measures both in one process. Run: {@code mvn verify -Pjmh
 * -Djmh.args="GroupBenchmark -f 3 -wi 3 -w 1 -i 5 -r 1"}
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class GroupBenchmark {
    /** A prime: the CQs come in an order that no cache foresees. */
    private static final int STEP = 7919;

    @Param({"10", "10000"})
    private int cqs;

    private Context context;
    private ProtectionDomain pd;
    private MemoryRegion memory;
    private CqGroup group;
    private CompletionQueue[] members;
    private QueuePair[] qps;
    private final SendWorkRequest write = SendWorkRequest.allocate(1, 0);
    private final GroupCompletions batch = GroupCompletions.allocate(8);
    private int next;

    /** For JMH, which sets the parameters. */
    public GroupBenchmark() {}

    GroupBenchmark(int cqs) {
        this.cqs = cqs;
    }

    @Setup
    public void join() throws InterruptedException {
        context = Verbs.device("soft0").open();
        pd = context.allocPd();
        memory = pd.allocateMr(64, Access.LOCAL_WRITE, Access.REMOTE_WRITE);
        write.rdmaWrite(memory.address(), memory.rkey()).signaled();
        group = CqGroup.create();
        members = new CompletionQueue[cqs];
        qps = new QueuePair[cqs];
        QpAttributes access = QpAttributes.builder().access(Access.REMOTE_WRITE).build();
        for (int i = 0; i < cqs; i++) {
            members[i] = context.createDirectCq(4);
            qps[i] = pd.createQp(QpConfig.of(QpType.RC, members[i]));
            qps[i].connect(qps[i].endpoint(), access);
            group.add(members[i]);
            one(i);
        }
    }

    @TearDown
    public void leave() {
        group.close();
        for (int i = 0; i < cqs; i++) {
            qps[i].close();
            members[i].close();
        }
        memory.close();
        pd.close();
        context.close();
    }

    private CompletionQueue one(int index) throws InterruptedException {
        qps[index].postSend(write);
        group.await(batch);
        return batch.cq(0);
    }

    /** One is ready, the others are idle. */
    @Benchmark
    public CompletionQueue oneReady() throws InterruptedException {
        next = (next + STEP) % cqs;
        return one(next);
    }
}
