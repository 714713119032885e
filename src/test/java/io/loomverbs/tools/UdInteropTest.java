package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.AddressHandle;
import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.RejectedException;
import io.loomverbs.cm.UdListener;
import io.loomverbs.cm.UdPeer;
import io.loomverbs.cm.UdRequest;
import io.loomverbs.cm.UdRoute;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.InetSocketAddress;
import java.time.Duration;

/** Datagrams with librdmacm's udaddy, either of them as the server. */
@Tag("rdma")
@Timeout(120)
class UdInteropTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String HOST = Fixture.host().getHostAddress();
    private static final int MESSAGES = 10;
    private static final int SIZE = 100;
    private static final int GRH = 40;
    private static final int SLOT = 256;
    private static final byte[] NOTHING = {};

    /** The program knows no other. */
    private static final int PORT = 7174;

    private final NativePrograms programs = new NativePrograms(PATIENCE);
    private final ConnectionManager cm = ConnectionManager.system();
    private final Fixture f = new Fixture();
    private final CompletionQueue cq = f.direct();
    private final MemoryRegion memory = f.mr((MESSAGES + 1) * SLOT);
    private final QueuePair qp =
            f.own(f.pd.createQp(QpConfig.of(QpType.UD, cq).withWr(MESSAGES, MESSAGES)));

    @AfterEach
    void nothingIsLeft() throws Exception {
        programs.close();
        f.close();
    }

    private String options() {
        return " -c 1 -C " + MESSAGES + " -S " + SIZE;
    }

    private void postReceives() {
        for (int i = 0; i < MESSAGES; i++) {
            qp.postRecv(
                    RecvWorkRequest.allocate(1).wrId(i).sge(memory, (long) i * SLOT, GRH + SIZE));
        }
    }

    /** As many messages, with the number that the program answers to. */
    private void send(AddressHandle to, int qpn, int qkey) {
        for (int i = 0; i < MESSAGES; i++) {
            qp.postSend(
                    SendWorkRequest.allocate(1, 0)
                            .sendWithImm(qp.qpNum())
                            .sge(memory, MESSAGES * SLOT, SIZE)
                            .to(to, qpn, qkey)
                            .signaled());
        }
    }

    private WorkCompletions await(int completions) throws InterruptedException {
        WorkCompletions batch = WorkCompletions.allocate(completions);
        assertThat(cq.await(batch, completions, PATIENCE)).isEqualTo(completions);
        for (int i = 0; i < completions; i++) {
            assertThat(batch.isSuccess(i)).as("%s", batch.get(i)).isTrue();
        }
        return batch;
    }

    /** Its client sends, and waits for as many answers. */
    @Test
    void udaddyIsServed() throws Exception {
        try (UdListener listener = cm.listenUd(new InetSocketAddress(HOST, PORT))) {
            NativePrograms.Program client = programs.start("udaddy -s " + HOST + options());
            try (UdRequest request = listener.accept()) {
                request.init(qp);
                postReceives();
                request.accept(qp, NOTHING);
            }
            WorkCompletions batch = await(MESSAGES);
            long at = batch.wrId(0) * SLOT;
            AddressHandle reply =
                    f.own(f.pd.createAhFromWc(batch, 0, memory.memory().asSlice(at, GRH), 1));
            send(reply, batch.srcQp(0), 0x01234567);
            await(MESSAGES);
            assertThat(client.status()).as(client.printed()).isZero();
        }
    }

    /** Its server sends as many messages as it has got. */
    @Test
    void udaddyServes() throws Exception {
        NativePrograms.Program server = programs.start("udaddy -b " + HOST + options());
        UdPeer peer = ask(server);
        assertThat(peer.privateData()).hasSize(136);
        send(f.own(f.pd.createAh(peer.address())), peer.qpNum(), peer.qkey());
        await(2 * MESSAGES);
        assertThat(server.status()).as(server.printed()).isZero();
    }

    private UdPeer ask(NativePrograms.Program server) throws Exception {
        boolean first = true;
        while (true) {
            try (UdRoute route = cm.resolveUd(new InetSocketAddress(HOST, PORT), PATIENCE)) {
                if (first) {
                    route.init(qp);
                    postReceives();
                    first = false;
                }
                return route.connect(NOTHING, PATIENCE);
            } catch (RejectedException e) {
                assertThat(e.reason()).isEqualTo(1); // until it listens
                assertThat(server.process().isAlive()).as(server.printed()).isTrue();
            }
        }
    }
}
