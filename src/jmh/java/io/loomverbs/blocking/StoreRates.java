package io.loomverbs.blocking;

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

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;

/**
 * GETs a second of a key-value store of 1,024 entries of 64 bytes, with many client threads, in
 * four ways in turns: one-sided reads, over a connection for each client and over one for all;
 * messages, which a server thread for each connection answers; and the same over TCP on the
 * loopback interface. All threads are virtual. Meanwhile the server changes entries, so each entry
 * is checked by its sum, and read again if it was just being written.
 *
 * <p>Arguments: clients (1000), seconds of each measurement (2), rounds (5), device (soft0).
 */
public final class StoreRates {
    private static final int KEYS = 1024;

    /** Version, six longs of value, check sum. */
    private static final int ENTRY = 64;

    private static final int SUM = ENTRY - Long.BYTES;
    private static final int PLACES = 2;
    private static final int SHARED_PLACES = 256;
    private static final long WRITE_EVERY_NANOS = 100_000;

    /** Little endian, as this machine is: TCP brings the bytes as they are. */
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What one client thread asks with. */
    private interface Client {
        /** Reads an entry, which may be torn. */
        MemorySegment get(int key) throws Exception;
    }

    /** What makes a client for each thread. */
    private interface Transport extends AutoCloseable {
        Client client() throws Exception;

        @Override
        void close() throws IOException;
    }

    private interface TransportMaker {
        Transport make() throws Exception;
    }

    private final int clients;
    private final long nanos;
    private final ProtectionDomain pd;
    private final MemoryRegion memory;
    private final MemorySegment table;

    private StoreRates(int clients, long nanos, ProtectionDomain pd, MemoryRegion memory) {
        this.clients = clients;
        this.nanos = nanos;
        this.pd = pd;
        this.memory = memory;
        this.table = memory.memory();
    }

    /** Prints a line for each round, and the medians. */
    public static void main(String[] args) throws Exception {
        int clients = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
        double seconds = args.length > 1 ? Double.parseDouble(args[1]) : 2;
        int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 5;
        String device = args.length > 3 ? args[3] : "soft0";
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory =
                        pd.allocateMr(KEYS * ENTRY, Access.LOCAL_WRITE, Access.REMOTE_READ)) {
            new StoreRates(clients, (long) (seconds * 1e9), pd, memory).measureAll(rounds);
        }
    }

    private void measureAll(int rounds) throws Exception {
        String[] names = {"reads", "reads over one connection", "messages", "TCP"};
        List<TransportMaker> transports =
                List.of(() -> new Reads(false), () -> new Reads(true), Messages::new, Tcp::new);
        for (int key = 0; key < KEYS; key++) {
            write(key, 1);
        }
        double[][] rates = new double[names.length][rounds];
        for (int round = -1; round < rounds; round++) { // the first only warms up
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < names.length; i++) {
                double rate = measure(transports.get(i));
                line.append(String.format(Locale.ROOT, "%s %,.0f; ", names[i], rate));
                if (round >= 0) {
                    rates[i][round] = rate;
                }
            }
            System.out.println((round < 0 ? "(warm-up) " : "") + line + "GETs/s");
        }
        for (int i = 0; i < names.length; i++) {
            Arrays.sort(rates[i]);
            System.out.printf(
                    Locale.ROOT,
                    "%-26s median %,.0f GETs/s (%,.0f to %,.0f)%n",
                    names[i],
                    rates[i][rounds / 2],
                    rates[i][0],
                    rates[i][rounds - 1]);
        }
    }

    private double measure(TransportMaker maker) throws Exception {
        try (Transport transport = maker.make();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Client> all = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                all.add(transport.client());
            }
            long start = System.nanoTime();
            long end = start + nanos;
            List<Future<Long>> readers = new ArrayList<>();
            for (Client client : all) {
                readers.add(threads.submit(() -> getAll(client, end)));
            }
            var _ = threads.submit(() -> change(end));
            long gets = 0;
            for (Future<Long> reader : readers) {
                gets += reader.get(); // throws if it has read what was never written
            }
            return gets * 1e9 / (System.nanoTime() - start);
        }
    }

    private static long getAll(Client client, long end) throws Exception {
        SplittableRandom random = new SplittableRandom(Thread.currentThread().threadId());
        long gets = 0;
        while (System.nanoTime() < end) {
            int key = random.nextInt(KEYS);
            MemorySegment entry = client.get(key);
            while (entry.get(LONG, SUM) != sum(entry)) {
                entry = client.get(key);
            }
            if (entry.get(LONG, Long.BYTES) != entry.get(LONG, 0) * KEYS + key) {
                throw new IllegalStateException("key " + key + " has another's value");
            }
            gets++;
        }
        return gets;
    }

    private void change(long end) {
        SplittableRandom random = new SplittableRandom(1);
        while (System.nanoTime() < end) {
            int key = random.nextInt(KEYS);
            write(key, table.get(LONG, (long) key * ENTRY) + 1);
            LockSupport.parkNanos(WRITE_EVERY_NANOS);
        }
    }

    private void write(int key, long version) {
        long at = (long) key * ENTRY;
        table.set(LONG, at + SUM, 0); // readers refuse the entry from here on
        VarHandle.fullFence();
        table.set(LONG, at, version);
        for (int i = Long.BYTES; i < SUM; i += Long.BYTES) {
            table.set(LONG, at + i, version * KEYS + key);
        }
        VarHandle.fullFence();
        table.set(LONG, at + SUM, sum(table.asSlice(at, ENTRY)));
    }

    private static long sum(MemorySegment entry) {
        long sum = 1;
        for (int i = 0; i < SUM; i += Long.BYTES) {
            sum = sum * 0x9E3779B97F4A7C15L + entry.get(LONG, i);
        }
        return sum | 1; // never 0
    }

    /** Copies an entry for a client that cannot read it itself. */
    private void copyTo(int key, MemorySegment to) {
        MemorySegment.copy(table, (long) key * ENTRY, to, 0, ENTRY);
    }

    /** Connections, in pairs of queue pairs; a CQ for all clients and one for the server. */
    private abstract class Connections implements Transport {
        private final int places;
        final BufferPool pool;
        private final CompletionQueue serverCq;
        private final CompletionQueue clientCq;
        private final Deque<Runnable> closes = new ArrayDeque<>();

        Connections(int count, int places) {
            this.places = places;
            this.pool = BufferPool.of(pd, ENTRY, 2 * PLACES * count + 2 * clients);
            this.serverCq = pd.context().createDirectCq(2 * places * count);
            this.clientCq = pd.context().createDirectCq(2 * places * count);
            closes.push(this::closePool);
            closes.push(serverCq::close);
            closes.push(clientCq::close);
        }

        final Buffer takeBuffer() throws InterruptedException {
            Buffer taken = pool.take();
            closes.push(taken::close);
            return taken;
        }

        private Requests over(QueuePair qp, RequestsConfig config) {
            Requests made = Requests.over(qp, config);
            closes.push(made::close);
            return made;
        }

        private QueuePair queuePair(CompletionQueue cq) {
            QueuePair made = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(places, places));
            closes.push(made::close);
            return made;
        }

        /** The client's end of a new connection; the other is served if it has receives. */
        final Requests connect(boolean served) {
            QueuePair server = queuePair(serverCq);
            QueuePair client = queuePair(clientCq);
            server.init(Access.REMOTE_READ);
            client.init();
            RequestsConfig config =
                    served ? RequestsConfig.of().withReceives(PLACES, pool) : RequestsConfig.of();
            if (served) {
                Requests serving = over(server, config);
                Thread.startVirtualThread(() -> serve(serving));
            }
            Requests calling = over(client, config);
            server.connect(client.endpoint());
            client.connect(server.endpoint());
            return calling;
        }

        private void serve(Requests connection) {
            try (Buffer answer = pool.take()) {
                MemorySegment entry = answer.memory();
                while (true) {
                    try (Message get = connection.receive()) {
                        copyTo((int) get.memory().get(LONG, 0), entry);
                    }
                    connection.send(answer);
                }
            } catch (InterruptedException | ClosedException | RequestFailedException e) {
                // The connection is closed.
            }
        }

        @Override
        public void close() {
            closes.forEach(Runnable::run);
        }

        /** Once the server's threads have given back what they have. */
        private void closePool() {
            while (true) {
                try {
                    pool.close();
                    return;
                } catch (IllegalStateException e) {
                    LockSupport.parkNanos(1_000_000);
                }
            }
        }
    }

    private final class Reads extends Connections {
        private final RemoteRegion remote = RemoteRegion.of(memory);
        private final Requests shared;

        Reads(boolean sharing) {
            super(sharing ? 1 : clients, sharing ? SHARED_PLACES : PLACES);
            shared = sharing ? connect(false) : null;
        }

        @Override
        public Client client() throws InterruptedException {
            Requests requests = shared == null ? connect(false) : shared;
            Buffer entry = takeBuffer();
            MemorySegment bytes = entry.memory();
            return key -> {
                requests.read(remote.slice((long) key * ENTRY, ENTRY), entry);
                return bytes;
            };
        }
    }

    private final class Messages extends Connections {
        Messages() {
            super(clients, PLACES);
        }

        @Override
        public Client client() throws InterruptedException {
            Requests requests = connect(true);
            Buffer entry = takeBuffer();
            MemorySegment bytes = entry.memory();
            Buffer question = entry.slice(0, Long.BYTES);
            return key -> {
                bytes.set(LONG, 0, key);
                requests.send(question);
                try (Message answer = requests.receive()) {
                    bytes.copyFrom(answer.memory());
                }
                return bytes;
            };
        }
    }

    private final class Tcp implements Transport {
        private final ServerSocket listener = new ServerSocket();
        private final List<Socket> sockets = new ArrayList<>();

        Tcp() throws IOException {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), clients);
            Thread.startVirtualThread(this::accept);
        }

        private void accept() {
            try {
                while (true) {
                    Socket socket = listener.accept();
                    Thread.startVirtualThread(() -> serve(socket));
                }
            } catch (IOException e) {
                // It is closed.
            }
        }

        private void serve(Socket accepted) {
            try (Socket socket = accepted) {
                socket.setTcpNoDelay(true);
                DataInputStream in = new DataInputStream(socket.getInputStream());
                byte[] question = new byte[Long.BYTES];
                byte[] answer = new byte[ENTRY];
                while (true) {
                    in.readFully(question);
                    int key = (int) MemorySegment.ofArray(question).get(LONG, 0);
                    copyTo(key, MemorySegment.ofArray(answer));
                    socket.getOutputStream().write(answer);
                }
            } catch (EOFException e) {
                // The client has closed its end.
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public Client client() throws IOException {
            Socket socket = new Socket(listener.getInetAddress(), listener.getLocalPort());
            sockets.add(socket);
            socket.setTcpNoDelay(true);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            byte[] question = new byte[Long.BYTES];
            ByteBuffer key = ByteBuffer.wrap(question).order(ByteOrder.LITTLE_ENDIAN);
            byte[] answer = new byte[ENTRY];
            MemorySegment bytes = MemorySegment.ofArray(answer);
            return wanted -> {
                key.putLong(0, wanted);
                out.write(question);
                in.readFully(answer);
                return bytes;
            };
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : sockets) {
                socket.close();
            }
            listener.close();
        }
    }
}
