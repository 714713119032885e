package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Access;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Mtu;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.Verbs;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * {@code ibv_srq_pingpong} against queue pairs here that share a receive queue, either as server.
 */
@Tag("rdma")
@Timeout(120)
class SrqInteropTest {
    private static final String DEVICE = System.getProperty("loomverbs.device", "none named");
    private static final int PORT = 18516;
    private static final int PATIENCE_SECONDS = 60;

    /** {@code MAX_QP}: so many addresses are exchanged, however many queue pairs there are. */
    private static final int ADDRESSES = 256;

    private static final int QPS = 16;
    private static final int ITERS = 400;
    private static final int SIZE = 512;
    private static final int RECEIVES = 64;
    private static final byte[] DONE = "done\0".getBytes(StandardCharsets.US_ASCII);

    private final Deque<AutoCloseable> owned = new ArrayDeque<>();
    private final Context context = own(Verbs.device(DEVICE).open());
    private final ProtectionDomain pd = own(context.allocPd());
    private final CompletionQueue cq = own(context.createDirectCq(QPS + 2 * RECEIVES));
    private final MemoryRegion memory = own(pd.allocateMr(SIZE, Access.LOCAL_WRITE));
    private final SharedReceiveQueue srq = own(pd.createSrq(SrqAttributes.of(RECEIVES)));
    private final Map<Integer, QueuePair> byNumber = new HashMap<>();
    private final List<QueuePair> qps = new ArrayList<>();
    private final WorkCompletions batch = WorkCompletions.allocate(16);
    private Process program;

    SrqInteropTest() {
        for (int i = 0; i < QPS; i++) {
            QueuePair qp = own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(4, 0).withSrq(srq)));
            qp.init();
            qps.add(qp);
            byNumber.put(qp.qpNum(), qp);
        }
        for (int i = 0; i < RECEIVES; i++) {
            post();
        }
    }

    private <T extends AutoCloseable> T own(T object) {
        owned.push(object);
        return object;
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (program != null) {
            program.destroyForcibly();
        }
        while (!owned.isEmpty()) {
            owned.pop().close();
        }
    }

    private void post() {
        srq.postRecv(RecvWorkRequest.allocate(1).wrId(2).sge(memory));
    }

    private Path start(String arguments) throws IOException {
        Path out = Files.createTempFile("srq", ".out");
        out.toFile().deleteOnExit();
        String line =
                "-p %d -d %s -s %d -n %d -q %d -r %d -g %d -e%s"
                        .formatted(
                                PORT,
                                DEVICE,
                                SIZE,
                                ITERS,
                                QPS,
                                RECEIVES,
                                context.defaultGidIndex(1),
                                arguments);
        program =
                new ProcessBuilder(("ibv_srq_pingpong " + line).split(" "))
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        return out;
    }

    @Test
    void aClientInC() throws Exception {
        Path out;
        try (ServerSocket listener = PingpongExchange.listen(PORT)) {
            listener.setSoTimeout(PATIENCE_SECONDS * 1000);
            out = start(" 127.0.0.1");
            try (Socket socket = listener.accept()) {
                connect(listen(socket));
                tell(socket);
                assertThat(socket.getInputStream().readNBytes(DONE.length)).isEqualTo(DONE);
            }
        }
        play();
        ended(out);
    }

    @Test
    void aServerInC() throws Exception {
        Path out = start("");
        try (Socket socket = connect()) {
            tell(socket);
            List<PingpongPeer> peers = listen(socket);
            socket.getOutputStream().write(DONE);
            connect(peers);
        }
        for (QueuePair qp : qps) {
            send(qp);
        }
        play();
        ended(out);
    }

    private Socket connect() throws Exception {
        long start = System.nanoTime();
        while (true) {
            try {
                return new Socket(InetAddress.getLoopbackAddress(), PORT);
            } catch (ConnectException notYet) {
                assertThat(program.isAlive()).isTrue();
                assertThat(System.nanoTime() - start).isLessThan(PATIENCE_SECONDS * 1_000_000_000L);
                Thread.sleep(10);
            }
        }
    }

    private void tell(Socket socket) throws IOException {
        OutputStream out = socket.getOutputStream();
        for (int i = 0; i < ADDRESSES; i++) {
            PingpongPeer peer =
                    i < QPS
                            ? new PingpongPeer(qps.get(i).endpoint())
                            : new PingpongPeer(0, 0, 0, null);
            out.write(peer.toWire());
        }
    }

    private static List<PingpongPeer> listen(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        List<PingpongPeer> peers = new ArrayList<>();
        for (int i = 0; i < ADDRESSES; i++) {
            peers.add(PingpongPeer.ofWire(in.readNBytes(PingpongPeer.WIRE_BYTES)));
        }
        return peers;
    }

    private void connect(List<PingpongPeer> peers) {
        for (int i = 0; i < QPS; i++) {
            PingpongPeer peer = peers.get(i);
            qps.get(i)
                    .connect(
                            peer.endpoint(),
                            QpAttributes.builder()
                                    .address(AhAttributes.of(peer.gid(), peer.lid()))
                                    .pathMtu(Mtu.MTU_1024)
                                    .maxDestRdAtomic(1)
                                    .maxRdAtomic(1)
                                    .build());
        }
    }

    private void send(QueuePair qp) {
        qp.postSend(SendWorkRequest.allocate(1, 0).wrId(1).send().sge(memory).signaled());
    }

    /** As the program in C: a message on each queue pair is answered there. */
    private void play() throws Exception {
        Map<Integer, Integer> received = new HashMap<>();
        int sent = 0;
        int got = 0;
        while (sent < ITERS || got < ITERS) {
            int n = cq.await(batch, 1, Duration.ofSeconds(PATIENCE_SECONDS));
            assertThat(n).as("sent %d, received %d", sent, got).isPositive();
            for (int i = 0; i < n; i++) {
                assertThat(batch.status(i)).isEqualTo(WcStatus.SUCCESS);
                if (batch.opcode(i) == WcOpcode.RECV) {
                    got++;
                    assertThat(batch.byteLen(i)).isEqualTo(SIZE);
                    received.merge(batch.qpNum(i), 1, Integer::sum);
                    post();
                    send(byNumber.get(batch.qpNum(i)));
                } else {
                    sent++;
                }
            }
        }
        assertThat(received).as("messages by queue pair").hasSize(QPS);
    }

    private void ended(Path out) throws Exception {
        boolean ended = program.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
        String printed = Files.readString(out);
        assertThat(ended).as(printed).isTrue();
        assertThat(program.exitValue()).as(printed).isZero();
        assertThat(printed).contains(ITERS + " iters in ");
    }
}
