package io.loomverbs.cm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Many connections at once, each with a thread of its own at both ends. */
class ManyConnectionsTest extends CmContract {
    private static final int CONNECTIONS = Differences.EMBEDDED ? 10_000 : 500;
    private static final Duration LONG = Duration.ofSeconds(60);

    private final MemoryRegion shared = f.mr(4096);

    /** All connect at once, exchange a message, and leave: half of them by the server's close. */
    @Test
    void manyConnectAtOnce() throws Exception {
        connectAll();
        Left before = Left.now();
        connectAll(); // with a JVM that is warm
        Fixture.eventually("no thread or memory is left", () -> Left.now().isAsMuchAs(before));
    }

    /** What is left of all connections, whichever side has closed them. */
    private record Left(int threads, long allocated, long heap) {
        /** Less than a tenth of what the objects of ten thousand connections take. */
        private static final long ROOM = 2 << 20;

        static Left now() {
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            return new Left(
                    Thread.getAllStackTraces().size(),
                    Verbs.allocatedMemory(),
                    runtime.totalMemory() - runtime.freeMemory());
        }

        boolean isAsMuchAs(Left before) {
            return threads <= before.threads
                    && allocated == before.allocated
                    && heap <= before.heap + ROOM;
        }
    }

    private void connectAll() throws Exception {
        long start = System.nanoTime();
        try (RdmaListener listener = cm.listen(anyPort(), CONNECTIONS);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<WcStatus>> ends = new ArrayList<>();
            ends.add(
                    threads.submit(
                            () -> {
                                List<Future<WcStatus>> servers = new ArrayList<>();
                                for (int i = 0; i < CONNECTIONS; i++) {
                                    ConnectRequest request = listener.accept(LONG);
                                    boolean leaves = i % 2 == 0;
                                    servers.add(threads.submit(() -> serve(request, leaves)));
                                }
                                return worst(servers);
                            }));
            for (int i = 0; i < CONNECTIONS; i++) {
                ends.add(threads.submit((Callable<WcStatus>) () -> connect(listener)));
            }
            assertThat(worst(ends)).isEqualTo(WcStatus.SUCCESS);
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        System.out.printf(
                "%d connections on %s in %d ms: %d/s%n",
                CONNECTIONS, Fixture.DEVICE, millis, CONNECTIONS * 1000L / Math.max(1, millis));
    }

    private static WcStatus worst(List<Future<WcStatus>> ends) throws Exception {
        WcStatus worst = WcStatus.SUCCESS;
        for (Future<WcStatus> end : ends) {
            WcStatus status = end.get(LONG.toSeconds(), TimeUnit.SECONDS);
            worst = status == WcStatus.SUCCESS ? worst : status;
        }
        return worst;
    }

    private WcStatus serve(ConnectRequest request, boolean leaves) throws Exception {
        try (request;
                CompletionQueue cq = f.context.createDirectCq(8);
                QueuePair qp = f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(2, 2))) {
            request.init(qp);
            qp.postRecv(RecvWorkRequest.allocate(1).sge(shared, 2048, 64));
            WorkCompletions batch = WorkCompletions.allocate(2);
            try (RdmaConnection connection =
                    request.accept(qp, ConnectionConfig.defaults(), LONG)) {
                cq.await(batch, 1, LONG);
                if (!leaves) {
                    assertThat(connection.awaitDisconnect(LONG)).isTrue();
                }
            }
            return batch.status(0);
        }
    }

    private WcStatus connect(RdmaListener listener) throws Exception {
        try (CompletionQueue cq = f.context.createDirectCq(8);
                RdmaRoute route = cm.resolve(listener.localAddress(), LONG);
                QueuePair qp = f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(2, 2));
                RdmaConnection connection = route.connect(qp, LONG)) {
            qp.postSend(SendWorkRequest.allocate(1, 0).send().sge(shared, 0, 8).signaled());
            WorkCompletions batch = WorkCompletions.allocate(2);
            cq.await(batch, 1, LONG);
            assertThat(connection.peerAddress()).isEqualTo(listener.localAddress());
            return batch.status(0);
        }
    }
}
