package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.AddressHandle;
import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.WorkCompletions;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.ConnectionConfig;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.MulticastGroup;
import io.loomverbs.cm.RdmaConnection;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;
import io.loomverbs.cm.RejectedException;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * Connections with librdmacm's rdma_client, rdma_server, rdma_xclient and rdma_xserver, and ends
 * that are killed in mid-transfer.
 */
@Tag("rdma")
@Timeout(120)
class SmallProgramsInteropTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String HOST = Fixture.host().getHostAddress();

    /** What each of the programs sends. */
    private static final int SIZE = 16;

    /** A port of its own for each test: one that was just used may still be taken. */
    private static int nextPort = 7400;

    private final int port = nextPort++;
    private final NativePrograms programs = new NativePrograms(PATIENCE);
    private final ConnectionManager cm = ConnectionManager.system();
    private final Fixture f = new Fixture();
    private final CompletionQueue cq = f.direct();
    private final MemoryRegion memory = f.mr(Fixture.BUFFER);

    @AfterEach
    void nothingIsLeft() throws Exception {
        programs.close();
        f.close();
    }

    private QueuePair qp() {
        return f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq)));
    }

    private static RecvWorkRequest receive(MemoryRegion memory) {
        return RecvWorkRequest.allocate(1).sge(memory, 0, SIZE);
    }

    private SendWorkRequest message() {
        return SendWorkRequest.allocate(1, 0).send().sge(memory, 4096, SIZE).signaled();
    }

    private void one(WcOpcode opcode) {
        WorkCompletion completion = Fixture.pollOne(cq);
        assertThat(completion.status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(completion.opcode()).isEqualTo(opcode);
    }

    private static void ended(NativePrograms.Program program) throws Exception {
        assertThat(program.status()).as(program.printed()).isZero();
        assertThat(program.printed()).contains("end 0");
    }

    /** Until the program listens, its port is refused. */
    private RdmaConnection connect(NativePrograms.Program server, QueuePair qp) throws Exception {
        while (true) {
            try (RdmaRoute route = cm.resolve(new InetSocketAddress(HOST, port), PATIENCE)) {
                qp.modify(QpAttributes.builder().state(QpState.RESET).build());
                route.init(qp);
                return f.own(route.connect(qp, PATIENCE));
            } catch (RejectedException e) {
                assertThat(e.reason()).isEqualTo(8);
                assertThat(server.process().isAlive()).as(server.printed()).isTrue();
            }
        }
    }

    /** It sends a message, and waits for one. */
    @Test
    void rdmaClientIsServed() throws Exception {
        try (RdmaListener listener = cm.listen(new InetSocketAddress(HOST, port))) {
            NativePrograms.Program client =
                    programs.start("rdma_client -s " + HOST + " -p " + port);
            ConnectRequest request = f.own(listener.accept());
            QueuePair qp = qp();
            request.init(qp);
            qp.postRecv(receive(memory));
            RdmaConnection connection = f.own(request.accept(qp));
            one(WcOpcode.RECV);
            qp.postSend(message());
            one(WcOpcode.SEND);
            ended(client);
            assertThat(connection.awaitDisconnect(PATIENCE)).isTrue();
        }
    }

    /** It waits for a message, and answers. */
    @Test
    void rdmaServerServes() throws Exception {
        NativePrograms.Program server = programs.start("rdma_server -s " + HOST + " -p " + port);
        RdmaConnection connection = connect(server, qp());
        connection.queuePair().postRecv(receive(memory));
        connection.queuePair().postSend(message());
        WorkCompletions batch = WorkCompletions.allocate(2);
        assertThat(cq.await(batch, 2, PATIENCE)).isEqualTo(2);
        assertThat(List.of(batch.opcode(0), batch.opcode(1)))
                .containsExactlyInAnyOrder(WcOpcode.SEND, WcOpcode.RECV);
        ended(server);
        assertThat(connection.awaitDisconnect(PATIENCE)).isTrue();
    }

    /** It sends one message, here to an SRQ, and gets private data of an odd size. */
    @Test
    void rdmaXclientIsServedFromAnSrq() throws Exception {
        SharedReceiveQueue srq = f.own(f.pd.createSrq(SrqAttributes.of(4)));
        srq.postRecv(receive(memory));
        try (RdmaListener listener = cm.listen(new InetSocketAddress(HOST, port))) {
            NativePrograms.Program client =
                    programs.start("rdma_xclient -c r -s " + HOST + " -p " + port);
            ConnectRequest request = f.own(listener.accept());
            assertThat(request.peerUsesSrq()).isFalse();
            QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq).withSrq(srq)));
            ConnectionConfig config = ConnectionConfig.defaults().withPrivateData(new byte[77]);
            RdmaConnection connection = f.own(request.accept(qp, config, PATIENCE));
            one(WcOpcode.RECV);
            ended(client);
            assertThat(connection.awaitDisconnect(PATIENCE)).isTrue();
        }
    }

    /** It accepts with four bytes of private data, and takes one message. */
    @Test
    void rdmaXserverServesAQueuePairOfAnSrq() throws Exception {
        SharedReceiveQueue srq = f.own(f.pd.createSrq(SrqAttributes.of(4)));
        NativePrograms.Program server = programs.start("rdma_xserver -c r -p " + port);
        QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq).withSrq(srq)));
        RdmaConnection connection = connect(server, qp);
        assertThat(connection.privateData()).hasSize(196);
        assertThat(connection.peerUsesSrq()).isFalse();
        qp.postSend(message());
        one(WcOpcode.SEND);
        ended(server);
        assertThat(connection.awaitDisconnect(PATIENCE)).isTrue();
    }

    /** The program sends to a group that our queue pair is attached to, and receives from it. */
    @Test
    void mckeySendsAndReceives() throws Exception {
        int count = 10;
        QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.UD, cq).withWr(count, count)));
        var local = new InetSocketAddress(HOST, 0);
        var address = new InetSocketAddress("239.1.2.3", 0);
        MulticastGroup group = f.own(cm.joinMulticast(local, address, PATIENCE));
        group.init(qp);
        group.attach(qp);
        for (int i = 0; i < count; i++) {
            qp.postRecv(RecvWorkRequest.allocate(1).sge(memory, 0, 40 + 100));
        }
        String options = "mckey -m 239.1.2.3 -b " + HOST + " -C " + count + " -S 100";
        NativePrograms.Program sender = programs.start(options + " -s");
        WorkCompletions batch = WorkCompletions.allocate(count);
        assertThat(cq.await(batch, count, PATIENCE)).isEqualTo(count);
        assertThat(batch.status(count - 1)).isEqualTo(WcStatus.SUCCESS);
        assertThat(sender.status()).as(sender.printed()).isZero();
        group.detach(qp);
        NativePrograms.Program receiver = programs.start(options);
        AddressHandle to = f.own(f.pd.createAh(group.peer().address()));
        while (receiver.process().isAlive()) { // what comes before it has joined is lost
            qp.postSend(
                    SendWorkRequest.allocate(1, 0)
                            .sendWithImm(qp.qpNum())
                            .sge(memory, 4096, 100)
                            .to(to, group.peer().qpNum(), group.peer().qkey())
                            .signaled());
            one(WcOpcode.SEND);
            Thread.sleep(20);
        }
        assertThat(receiver.status()).as(receiver.printed()).isZero();
    }

    /** A server of the program that is killed in mid-transfer ends our client. */
    @Test
    void aServerThatIsKilledInMidTransferIsNoticed() throws Exception {
        NativePrograms.Program server = programs.start("rping -s -a " + HOST + " -p " + port);
        CommandRun client;
        do {
            client =
                    CommandRun.start(
                            "rping -c -v -C 1000000 -a " + HOST + " -p " + port,
                            Duration.ofSeconds(60));
            CommandRun running = client;
            Fixture.eventually(
                    "rounds, or refused",
                    () -> running.printed().contains("rdma-ping-20: ") || running.task().isDone());
        } while (client.task().isDone() && client.printed().contains("nothing listens"));
        kill(server);
        assertThat(client.status()).as(client.printed()).isNotZero();
    }

    private static void kill(NativePrograms.Program program) throws Exception {
        String pid = Long.toString(program.process().pid());
        new ProcessBuilder("kill", "-9", pid).start().waitFor();
    }
}
