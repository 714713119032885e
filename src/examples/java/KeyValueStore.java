import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Verbs;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;

/**
 * A key-value store in a server's memory. A GET is a read of the client's device: the server's CPU
 * has no part in it. The client accepts what it has read if the entry's version and check sum
 * agree, and else reads again. A PUT is a message to the server, the only writer, which answers
 * with the new version. Arguments: client threads (1000), seconds (2), the device (soft0).
 */
public final class KeyValueStore {
    private static final int KEYS = 1024;

    /** An entry: version, six longs of value, check sum. */
    private static final int ENTRY = 64;

    private static final int SUM = ENTRY - Long.BYTES;
    private static final int RECEIVES = 64;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final MemorySegment table;
    private final BufferPool pool;
    private final LongAdder gets = new LongAdder();
    private final LongAdder again = new LongAdder();
    private final LongAdder puts = new LongAdder();

    private KeyValueStore(MemorySegment table, BufferPool pool) {
        this.table = table;
        this.pool = pool;
    }

    /** Starts the server and the clients, and says how fast they were. */
    public static void main(String[] args) throws Exception {
        int clients = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
        double seconds = args.length > 1 ? Double.parseDouble(args[1]) : 2;
        String device = args.length > 2 ? args[2] : "soft0";
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory =
                        pd.allocateMr(KEYS * ENTRY, Access.LOCAL_WRITE, Access.REMOTE_READ);
                BufferPool pool = BufferPool.of(pd, ENTRY, 2 * RECEIVES + clients + 2);
                CompletionQueue serverCq = context.createDirectCq(4 * RECEIVES);
                CompletionQueue clientCq = context.createDirectCq(4 * RECEIVES);
                QueuePair server = pd.createQp(config(serverCq));
                QueuePair client = pd.createQp(config(clientCq))) {
            server.init(Access.REMOTE_READ); // what its clients may do
            client.init();
            RequestsConfig receives = RequestsConfig.of().withReceives(RECEIVES, pool);
            try (Requests serving = Requests.over(server, receives);
                    Requests calling = Requests.over(client, receives.withTimeout(PATIENCE))) {
                server.connect(client.endpoint());
                client.connect(server.endpoint());
                KeyValueStore store = new KeyValueStore(memory.memory(), pool);
                String told =
                        RemoteRegion.of(memory).toString(); // as the server would tell clients
                store.run(serving, calling, RemoteRegion.parse(told), clients, seconds);
            }
        }
    }

    private static QpConfig config(CompletionQueue cq) {
        return QpConfig.of(QpType.RC, cq).withWr(RECEIVES, RECEIVES);
    }

    private void run(
            Requests serving, Requests calling, RemoteRegion remote, int clients, double seconds)
            throws Exception {
        for (int key = 0; key < KEYS; key++) {
            write(key, 1);
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            threads.submit(() -> serve(serving)); // if it fails, the client's time runs out
            Future<?> writer = threads.submit(() -> putAll(calling, seconds));
            List<Future<?>> readers = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                readers.add(threads.submit(() -> getAll(calling, remote, writer)));
            }
            try {
                writer.get();
                for (Future<?> reader : readers) {
                    reader.get(); // throws if it has read what was never written
                }
            } finally {
                serving.close(); // ends the server's thread
            }
        }
        System.out.printf(
                "%d threads: %.0f GETs a second, %d read again, %.0f PUTs a second;"
                        + " every value was consistent%n",
                clients, gets.sum() / seconds, again.sum(), puts.sum() / seconds);
    }

    /** The server: takes keys, and answers with their new versions. */
    private Void serve(Requests connection) throws InterruptedException {
        try {
            while (true) {
                try (Message put = connection.receive();
                        Buffer answer = pool.take()) {
                    int key = (int) put.memory().get(ValueLayout.JAVA_LONG, 0);
                    long version = table.get(ValueLayout.JAVA_LONG, (long) key * ENTRY) + 1;
                    write(key, version);
                    answer.memory().set(ValueLayout.JAVA_LONG, 0, version);
                    connection.send(answer.slice(0, Long.BYTES));
                }
            }
        } catch (ClosedException e) {
            return null;
        }
    }

    /** The value is made of key and version, so that a reader can check it. */
    private void write(int key, long version) {
        long at = (long) key * ENTRY;
        table.set(ValueLayout.JAVA_LONG, at + SUM, 0); // readers refuse the entry from here on
        VarHandle.fullFence();
        table.set(ValueLayout.JAVA_LONG, at, version);
        for (int i = Long.BYTES; i < SUM; i += Long.BYTES) {
            table.set(ValueLayout.JAVA_LONG, at + i, version * KEYS + key);
        }
        VarHandle.fullFence();
        table.set(ValueLayout.JAVA_LONG, at + SUM, sum(table.asSlice(at, ENTRY)));
    }

    private static long sum(MemorySegment entry) {
        long sum = 1;
        for (int i = 0; i < SUM; i += Long.BYTES) {
            sum = sum * 0x9E3779B97F4A7C15L + entry.get(ValueLayout.JAVA_LONG, i);
        }
        return sum | 1; // never 0
    }

    /** A client that writes: each PUT is answered with a higher version. */
    private Void putAll(Requests connection, double seconds) throws InterruptedException {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        SplittableRandom random = new SplittableRandom(1);
        try (Buffer put = pool.take()) {
            while (System.nanoTime() < end) {
                put.memory().set(ValueLayout.JAVA_LONG, 0, random.nextInt(KEYS));
                connection.send(put.slice(0, Long.BYTES));
                connection.receive().close();
                puts.increment();
            }
        }
        return null;
    }

    /** A client that reads. */
    private Void getAll(Requests connection, RemoteRegion remote, Future<?> writer)
            throws InterruptedException {
        SplittableRandom random = new SplittableRandom(Thread.currentThread().threadId());
        try (Buffer entry = pool.take()) {
            MemorySegment read = entry.memory();
            while (!writer.isDone()) {
                int key = random.nextInt(KEYS);
                RemoteRegion there = remote.slice((long) key * ENTRY, ENTRY);
                connection.read(there, entry);
                while (read.get(ValueLayout.JAVA_LONG, SUM) != sum(read)) {
                    again.increment();
                    connection.read(there, entry);
                }
                long version = read.get(ValueLayout.JAVA_LONG, 0);
                if (read.get(ValueLayout.JAVA_LONG, Long.BYTES) != version * KEYS + key) {
                    throw new IllegalStateException("key " + key + " has another's value");
                }
                gets.increment();
            }
        }
        return null;
    }
}
