package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletions;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.RdmaConnection;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Connections whose both ends are here, each end on a virtual thread: resolved, accepted, one
 * message, disconnected by the client. What {@code connections.c} does with one thread.
 */
public final class ConnectionLoad {
    /** As long as it takes: a wait without a time limit reads no clock. */
    private static final Duration LIMIT = Duration.ofSeconds(Long.MAX_VALUE);

    private static final int HALF = 2048;

    private final Context context;
    private final ProtectionDomain pd;
    private final MemoryRegion memory;
    private final CompletionChannel channel;
    private final ConnectionManager cm;
    private final InetSocketAddress address;

    private ConnectionLoad(Context context, ProtectionDomain pd, InetSocketAddress address) {
        this.context = context;
        this.pd = pd;
        this.memory = pd.allocateMr(2 * HALF, Access.LOCAL_WRITE);
        this.channel = context.createCompChannel();
        this.cm = ConnectionManager.of(context.device());
        this.address = address;
    }

    /**
     * Plays, and prints each run.
     *
     * @param args the device, the address to listen at, how many connections, how many runs
     * @throws Exception whatever fails
     */
    public static void main(String[] args) throws Exception {
        for (int i = 0; i < Integer.parseInt(args[3]); i++) {
            System.out.printf("%.1f%n", run(args[0], args[1], Integer.parseInt(args[2])));
        }
    }

    /** Connections a second. */
    static double run(String device, String host, int count) throws Exception {
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd()) {
            ConnectionLoad load = new ConnectionLoad(context, pd, new InetSocketAddress(host, 0));
            try (MemoryRegion _ = load.memory;
                    CompletionChannel _ = load.channel) {
                return load.run(count);
            }
        }
    }

    @SuppressWarnings("UnusedVariable") // closes
    private double run(int count) throws Exception {
        long start = System.nanoTime();
        try (RdmaListener listener = cm.listen(address, count);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            threads.submit((Callable<Void>) () -> play(listener, threads, count)).get();
        }
        return count * 1e9 / (System.nanoTime() - start);
    }

    private Void play(RdmaListener listener, ExecutorService threads, int count) throws Exception {
        List<Future<?>> ends = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ends.add(threads.submit((Callable<Void>) () -> connect(listener)));
        }
        for (int i = 0; i < count; i++) {
            ConnectRequest request = listener.accept();
            ends.add(threads.submit((Callable<Void>) () -> serve(request)));
        }
        for (Future<?> end : ends) {
            end.get();
        }
        return null;
    }

    private CompletionQueue cq() {
        return context.createDirectCq(8, null, channel, 0);
    }

    private QueuePair qp(CompletionQueue cq) {
        return pd.createQp(QpConfig.of(QpType.RC, cq).withWr(2, 2));
    }

    private Void serve(ConnectRequest request) throws InterruptedException {
        try (request;
                CompletionQueue cq = cq();
                QueuePair qp = qp(cq)) {
            request.init(qp);
            qp.postRecv(RecvWorkRequest.allocate(1).sge(memory, HALF, 64));
            try (RdmaConnection connection = request.accept(qp)) {
                awaitOne(cq);
                connection.awaitDisconnect();
            }
        }
        return null;
    }

    private Void connect(RdmaListener listener) throws InterruptedException {
        try (RdmaRoute route = cm.resolve(listener.localAddress(), LIMIT);
                CompletionQueue cq = cq();
                QueuePair qp = qp(cq);
                RdmaConnection connection = route.connect(qp)) {
            connection
                    .queuePair()
                    .postSend(SendWorkRequest.allocate(1, 0).send().sge(memory, 0, 8).signaled());
            awaitOne(cq);
        }
        return null;
    }

    private static void awaitOne(CompletionQueue cq) throws InterruptedException {
        WorkCompletions batch = WorkCompletions.allocate(2);
        if (cq.await(batch, 1) != 1 || !batch.isSuccess(0)) {
            throw new IllegalStateException("no message: " + batch.get(0));
        }
    }
}
