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
import io.loomverbs.Verbs;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Reads without end on the only carrier, and prints whether another virtual thread runs. */
final class BusyReaderChild {
    private static final int PATIENCE_SECONDS = 10;

    private BusyReaderChild() {}

    @SuppressWarnings("try") // nothing is closed: the JVM ends
    public static void main(String[] args) throws Exception {
        Context context = Verbs.device("soft0").open();
        ProtectionDomain pd = context.allocPd();
        MemoryRegion memory = pd.allocateMr(16, Access.LOCAL_WRITE, Access.REMOTE_READ);
        CompletionQueue cq = context.createDirectCq(4);
        QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(4, 0));
        qp.connect(qp.endpoint(), QpAttributes.builder().access(Access.REMOTE_READ).build());
        Requests requests = Requests.over(qp);
        RemoteRegion from = RemoteRegion.of(memory).slice(8, 8);
        Buffer to = Buffer.of(memory, 0, 8);
        CountDownLatch warm = new CountDownLatch(10_000);
        Thread.startVirtualThread(
                () -> {
                    try {
                        while (true) {
                            requests.read(from, to);
                            warm.countDown();
                        }
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
        System.out.println("reads: " + warm.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
        CountDownLatch ran = new CountDownLatch(1);
        Thread.startVirtualThread(ran::countDown);
        System.out.println("another runs: " + ran.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
