package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletions;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.RdmaConnection;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;

/**
 * What is created and closed a thousand times leaves nothing behind, in the process or the kernel.
 */
@Tag("device")
@Timeout(300)
@SuppressWarnings("try") // explicit closes are what is tried
class GrowthTest {
    private static final int WARM_UP = 300;
    private static final int ROUNDS = 1_000;

    /** A page a round would be 4 MiB; the JVM's own memory moves by less than this. */
    private static final long ROOM_KIB = 3_000;

    /** Mappings that the JVM and malloc make for themselves. */
    private static final int ROOM_MAPPINGS = 30;

    private final WorkCompletions batch = WorkCompletions.allocate(4);

    /** What the process and the kernel hold. */
    private record Held(long files, long mappings, long residentKib, String kernelObjects) {
        static Held now() throws Exception {
            for (int i = 0; i < 3; i++) {
                System.gc();
                Thread.sleep(50);
            }
            return new Held(countFiles(), countMappings(), readResidentKib(), readKernelObjects());
        }

        private static long countFiles() throws IOException {
            try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
                return files.count();
            }
        }

        private static long countMappings() throws IOException {
            return Files.readAllLines(Path.of("/proc/self/maps")).size();
        }

        private static long readResidentKib() throws IOException {
            String line =
                    Files.readAllLines(Path.of("/proc/self/status")).stream()
                            .filter(l -> l.startsWith("VmRSS:"))
                            .findFirst()
                            .orElseThrow();
            return Long.parseLong(line.replaceAll("[^0-9]", ""));
        }

        /** The kernel's count of PDs, CQs, queue pairs and so on, of all processes. */
        private static String readKernelObjects() throws IOException {
            if (Fixture.DEVICE.equals("soft0")) {
                return "none";
            }
            Process rdma =
                    new ProcessBuilder("rdma", "resource", "show", Fixture.DEVICE)
                            .redirectErrorStream(true)
                            .start();
            return new String(rdma.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Everything there is, used, waited for, and closed. */
    private void round(Context context) throws Exception {
        try (ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(4096, Access.LOCAL_WRITE);
                CompletionChannel channel = context.createCompChannel();
                CompletionQueue sends = context.createCq(8, null, channel, 0);
                CompletionQueue receives = context.createDirectCq(8);
                QueuePair a = pd.createQp(QpConfig.of(QpType.RC, sends));
                QueuePair b = pd.createQp(QpConfig.of(QpType.RC, receives));
                AddressHandle ah = pd.createAh(Fixture.addressOf(b))) {
            assertThat(ah).isNotNull();
            a.connect(b.endpoint());
            b.connect(a.endpoint());
            sends.reqNotify(false);
            receives.reqNotify(false);
            b.postRecv(RecvWorkRequest.allocate(1).sge(memory, 0, 64));
            a.postSend(SendWorkRequest.allocate(1, 0).send().sge(memory, 64, 64).signaled());
            try (CqEvent sent = channel.getCqEvent(Fixture.PATIENCE);
                    CqEvent received = receives.getCqEvent(Fixture.PATIENCE)) {
                assertThat(sent.cq()).isSameAs(sends);
                assertThat(received.cq()).isSameAs(receives);
            }
            Fixture.eventually("the message has arrived", () -> receives.poll(batch) == 1);
            assertThat(batch.isSuccess(0)).isTrue();
        }
    }

    /** A connection of the connection manager, made anew together with its listener. */
    private void connect(Context context) throws Exception {
        ConnectionManager cm = ConnectionManager.of(context.device());
        try (ProtectionDomain pd = context.allocPd();
                CompletionQueue cq = context.createDirectCq(8);
                RdmaListener listener = cm.listen(new InetSocketAddress(Fixture.host(), 0));
                RdmaRoute route = cm.resolve(listener.localAddress(), Fixture.PATIENCE);
                QueuePair a = pd.createQp(QpConfig.of(QpType.RC, cq));
                QueuePair b = pd.createQp(QpConfig.of(QpType.RC, cq))) {
            FutureTask<RdmaConnection> accepted =
                    new FutureTask<>(() -> listener.accept().accept(b));
            Thread.startVirtualThread(accepted);
            try (RdmaConnection client = route.connect(a, Fixture.PATIENCE);
                    RdmaConnection server = accepted.get()) {
                client.disconnect();
                server.awaitDisconnect();
            }
        }
    }

    private interface Round {
        void in(Context context) throws Exception;
    }

    private static void rounds(int count, Round round) throws Exception {
        try (Context context = Verbs.device(Fixture.DEVICE).open()) {
            for (int i = 0; i < count; i++) {
                if (i % 10 == 0) {
                    try (Context other = Verbs.device(Fixture.DEVICE).open()) {
                        round.in(other);
                    }
                } else {
                    round.in(context);
                }
            }
        }
    }

    /** A thousand rounds, each tenth with a context of its own. */
    @Test
    void aThousandRoundsLeaveNothing() throws Exception {
        leaveNothing(this::round);
    }

    @Test
    void aThousandConnectionsLeaveNothing() throws Exception {
        leaveNothing(this::connect);
    }

    private static void leaveNothing(Round round) throws Exception {
        List<Held> seen = new ArrayList<>();
        rounds(WARM_UP, round);
        seen.add(Held.now());
        // The JVM may still settle: it is growth that goes on which is a leak.
        for (int attempt = 0; attempt < 3; attempt++) {
            Held before = seen.getLast();
            rounds(ROUNDS, round);
            Held after = Held.now();
            seen.add(after);
            assertThat(after.kernelObjects()).isEqualTo(before.kernelObjects());
            if (after.files() <= before.files()
                    && after.mappings() <= before.mappings() + ROOM_MAPPINGS
                    && after.residentKib() <= before.residentKib() + ROOM_KIB) {
                System.out.println("held before and after " + ROUNDS + " rounds: " + seen);
                return;
            }
        }
        assertThat(seen).as("what is held grows with each %d rounds", ROUNDS).isEmpty();
    }
}
