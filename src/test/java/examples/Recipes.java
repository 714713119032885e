package examples;

import io.loomverbs.*;
import io.loomverbs.blocking.*;

import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;

/** The recipes of {@code docs/recipes.md}, which is compared with this file. */
public final class Recipes {
    private static final int WINDOW = 4;
    private static final long EMPTY = 0;

    private Recipes() {}

    public static void main(String[] args) throws Exception {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                BufferPool pool = BufferPool.of(pd, 64, 64, Access.REMOTE_READ)) {
            requestAndReply(context, pd, pool);
            cache(context, pd, pool);
            window(context, pd, pool);
            stop(context, pd);
            many(context, pd);
        }
    }

    private static void requestAndReply(Context context, ProtectionDomain pd, BufferPool pool)
            throws Exception {
        try (CompletionQueue clientCq = context.createDirectCq(64);
                CompletionQueue serverCq = context.createDirectCq(64);
                QueuePair clientQp = pd.createQp(QpConfig.of(QpType.RC, clientCq));
                QueuePair serverQp = pd.createQp(QpConfig.of(QpType.RC, serverCq))) {
            RequestsConfig config = RequestsConfig.of().withReceives(8, pool);
            clientQp.init();
            serverQp.init();
            // The receives of both are posted before either can send.
            try (Requests client = Requests.over(clientQp, config);
                    Requests server = Requests.over(serverQp, config)) {
                clientQp.connect(serverQp.endpoint());
                serverQp.connect(clientQp.endpoint());
                Thread serving = Thread.startVirtualThread(() -> serve(server, pool));
                try (Buffer question = pool.take()) {
                    question.memory().set(ValueLayout.JAVA_LONG, 0, 20);
                    client.send(question);
                }
                try (Message answer = client.receive()) {
                    System.out.println("answer " + answer.memory().get(ValueLayout.JAVA_LONG, 0));
                }
                serving.join();
            }
        }
    }

    private static void serve(Requests server, BufferPool pool) {
        try (Message question = server.receive();
                Buffer answer = pool.take()) {
            long n = question.memory().get(ValueLayout.JAVA_LONG, 0);
            answer.memory().set(ValueLayout.JAVA_LONG, 0, n + 1);
            server.send(answer);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void cache(Context context, ProtectionDomain pd, BufferPool pool)
            throws Exception {
        try (CompletionQueue cq = context.createDirectCq(64);
                QueuePair reader = pd.createQp(QpConfig.of(QpType.RC, cq));
                QueuePair owner = pd.createQp(QpConfig.of(QpType.RC, cq));
                MemoryRegion table = pd.allocateMr(1024, Access.REMOTE_READ)) {
            owner.init(Access.REMOTE_READ);
            owner.connect(reader.endpoint());
            reader.connect(owner.endpoint());
            table.memory().setAtIndex(ValueLayout.JAVA_LONG, 7, 42); // the entry of key 7
            String told = RemoteRegion.of(table).toString(); // in a message
            RemoteRegion entries = RemoteRegion.parse(told);
            try (Requests requests = Requests.over(reader);
                    Buffer entry = pool.take()) {
                requests.read(entries.slice(7 * 8, 8), entry.slice(0, 8));
                long value = entry.memory().get(ValueLayout.JAVA_LONG, 0);
                System.out.println(value == EMPTY ? "not there" : "cached " + value);
            }
        }
    }

    private static void window(Context context, ProtectionDomain pd, BufferPool pool)
            throws Exception {
        try (CompletionQueue cq = context.createDirectCq(64);
                QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq));
                MemoryRegion target = pd.allocateMr(64, Access.LOCAL_WRITE, Access.REMOTE_WRITE)) {
            qp.init(Access.REMOTE_WRITE);
            qp.connect(qp.endpoint()); // to itself, to be short
            try (Requests requests = Requests.over(qp)) {
                Queue<Pending> window = new ArrayDeque<>();
                for (int i = 0; i < 100; i++) {
                    if (window.size() == WINDOW) {
                        window.remove().await(); // parks until the oldest is done
                    }
                    try (Buffer piece = pool.take()) { // goes back once its request is done
                        window.add(requests.startWrite(piece, RemoteRegion.of(target)));
                    }
                }
                while (!window.isEmpty()) {
                    window.remove().await();
                }
                System.out.println("sent 100");
            }
        }
    }

    private static void stop(Context context, ProtectionDomain pd) throws Exception {
        AtomicInteger booked = new AtomicInteger();
        CompletionQueue cq = context.createDirectCq(64);
        QueuePair qp = pd.createQp(QpConfig.of(QpType.UC, cq));
        qp.connect(qp.endpoint());
        Serving orders = cq.serve("orders", batch -> booked.addAndGet(batch.size()));
        qp.postSend(SendWorkRequest.allocate(1, 0).send().signaled());
        if (!orders.stop(Duration.ofSeconds(10))) { // handles what has arrived
            System.err.println(orders.status());
        }
        qp.close(); // first what uses others
        cq.close(Duration.ofSeconds(10)); // waits for acknowledgements
        System.out.println("booked " + booked);
    }

    private static void many(Context context, ProtectionDomain pd) throws Exception {
        AtomicInteger handled = new AtomicInteger();
        List<AutoCloseable> all = new ArrayList<>();
        try (CompletionChannel channel = context.createCompChannel()) {
            try (Serving _ = channel.serve((cq, batch) -> handled.addAndGet(batch.size()), 8)) {
                for (int i = 0; i < 100; i++) {
                    CompletionQueue cq = context.createCq(16, "connection " + i, channel, 0);
                    QueuePair qp = pd.createQp(QpConfig.of(QpType.UC, cq));
                    all.add(cq);
                    all.add(qp);
                    qp.connect(qp.endpoint());
                    qp.postSend(SendWorkRequest.allocate(1, 0).send().signaled());
                }
            } // drains all of them
            for (AutoCloseable last : all.reversed()) {
                last.close();
            }
        }
        System.out.println("handled " + handled);
    }
}
