import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Verbs;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;

import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * An echo server with a virtual thread for each connection, and its clients, in one process.
 * Arguments: how many connections (10000), how many messages over each (10), the device (soft0).
 */
public final class EchoServer {
    private static final int BYTES = 64;
    private static final int PLACES = 2;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    /** Both ends of a connection. */
    private record Connection(QueuePair server, Requests echo, QueuePair client, Requests calls) {}

    private final Context context;
    private final ProtectionDomain pd;
    private final BufferPool pool;
    private final CompletionQueue serverCq;
    private final CompletionQueue clientCq;
    private final List<Connection> connections = new ArrayList<>();

    private EchoServer(Context context, ProtectionDomain pd, BufferPool pool, int count) {
        this.context = context;
        this.pd = pd;
        this.pool = pool;
        this.serverCq = context.createDirectCq(2 * PLACES * count);
        this.clientCq = context.createDirectCq(2 * PLACES * count);
    }

    /** Starts the server and the clients, and says how fast they were. */
    public static void main(String[] args) throws Exception {
        int count = args.length > 0 ? Integer.parseInt(args[0]) : 10_000;
        int messages = args.length > 1 ? Integer.parseInt(args[1]) : 10;
        String device = args.length > 2 ? args[2] : "soft0";
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd();
                BufferPool pool = BufferPool.of(pd, BYTES, (2 * PLACES + 1) * count)) {
            EchoServer server = new EchoServer(context, pd, pool, count);
            try {
                server.run(count, messages);
            } finally {
                server.close();
            }
        }
    }

    private void run(int count, int messages) throws Exception {
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            connections.add(connect());
        }
        System.out.printf("%d connections in %.1f s%n", count, seconds(start));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> clients = new ArrayList<>();
            start = System.nanoTime();
            for (Connection c : connections) {
                threads.submit(() -> echo(c.echo()));
                clients.add(threads.submit(() -> call(c.calls(), messages)));
            }
            try {
                for (Future<?> client : clients) {
                    client.get(); // throws if an answer was wrong, or did not come
                }
                long all = (long) count * messages;
                double rate = all / seconds(start);
                System.out.printf("%d messages came back, in order: %.0f a second%n", all, rate);
            } finally {
                connections.forEach(c -> c.echo().close()); // ends the server's threads
            }
        }
    }

    private Connection connect() {
        QueuePair server = queuePair(serverCq);
        QueuePair client = queuePair(clientCq);
        RequestsConfig config = RequestsConfig.of().withReceives(PLACES, pool);
        server.init();
        client.init();
        Requests echo = Requests.over(server, config); // receives stand before a peer may send
        Requests calls = Requests.over(client, config.withTimeout(PATIENCE));
        server.connect(client.endpoint());
        client.connect(server.endpoint());
        return new Connection(server, echo, client, calls);
    }

    private QueuePair queuePair(CompletionQueue cq) {
        return pd.createQp(QpConfig.of(QpType.RC, cq).withWr(PLACES, PLACES));
    }

    /** The server: sends back what comes, until the connection is closed. */
    private static Void echo(Requests connection) throws InterruptedException {
        try {
            while (true) {
                try (Message in = connection.receive()) {
                    connection.send(in.bytes());
                }
            }
        } catch (ClosedException e) {
            return null;
        }
    }

    /** A client: sends numbered messages, and checks the answers. */
    private Void call(Requests connection, int messages) throws InterruptedException {
        try (Buffer out = pool.take()) {
            for (long i = 0; i < messages; i++) {
                long number = connection.hashCode() * 1000L + i;
                out.memory().set(ValueLayout.JAVA_LONG, 0, number);
                connection.send(out);
                try (Message in = connection.receive()) {
                    long back = in.memory().get(ValueLayout.JAVA_LONG, 0);
                    if (back != number) {
                        throw new IllegalStateException(number + " came back as " + back);
                    }
                }
            }
        }
        return null;
    }

    private void close() {
        for (Connection c : connections) {
            c.calls().close();
            c.echo().close();
            c.client().close();
            c.server().close();
        }
        serverCq.close();
        clientCq.close();
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}
