package io.loomverbs.cm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.AddressHandle;
import io.loomverbs.ClosedException;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Datagrams: a client asks where to send, and groups are joined. */
class DatagramTest extends CmContract {
    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);
    private static final byte[] WELCOME = "welcome".getBytes(StandardCharsets.UTF_8);
    private static final byte[] NOTHING = {};
    private static final InetSocketAddress GROUP = new InetSocketAddress("239.1.2.3", 0);
    private static final Duration SHORT = Duration.ofMillis(200);

    private QueuePair ud() {
        return f.own(f.pd.createQp(QpConfig.of(QpType.UD, f.direct())));
    }

    private UdListener udListener() {
        return f.own(cm.listenUd(anyPort()));
    }

    private UdRoute udRoute(UdListener to) throws InterruptedException {
        return f.own(cm.resolveUd(to.localAddress(), PATIENCE));
    }

    /** One datagram of {@code from}, as its peer says. */
    private void send(QueuePair from, UdPeer to) {
        AddressHandle ah = f.own(f.pd.createAh(to.address()));
        from.postSend(
                SendWorkRequest.allocate(1, 0)
                        .send()
                        .sge(memory, 0, 8)
                        .to(ah, to.qpNum(), to.qkey())
                        .signaled());
        assertThat(Fixture.pollOne(from.sendCq()).status()).isEqualTo(WcStatus.SUCCESS);
    }

    private static void receive(QueuePair to, QueuePair from) {
        WorkCompletion received = Fixture.pollOne(to.recvCq());
        assertThat(received.status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(received.srcQp()).isEqualTo(from.qpNum());
    }

    /** The server says where it is, and then a datagram gets there. */
    @Test
    void aClientLearnsWhereToSend() throws Exception {
        UdListener listener = udListener();
        QueuePair server = ud();
        var serving =
                f.start(
                        "serve",
                        () -> {
                            try (UdRequest request = listener.accept()) {
                                assertThat(request.deviceName()).isEqualTo(Fixture.DEVICE);
                                assertThat(request.port()).isOne();
                                assertThat(request.localAddress())
                                        .isEqualTo(listener.localAddress());
                                request.init(server);
                                server.postRecv(receive(1));
                                request.accept(server, WELCOME);
                                return request.privateData();
                            }
                        });
        UdRoute route = udRoute(listener);
        assertThat(route.deviceName()).isEqualTo(Fixture.DEVICE);
        assertThat(route.peerAddress()).isEqualTo(listener.localAddress());
        QueuePair client = ud();
        route.init(client);
        assertThat(client.state()).isEqualTo(QpState.RTS);
        UdPeer peer = route.connect(HELLO, PATIENCE);
        assertThat(serving.get()).isEqualTo(padded(HELLO, 180));
        assertThat(peer.privateData()).isEqualTo(padded(WELCOME, 136));
        assertThat(peer.qpNum()).isEqualTo(server.qpNum());
        assertThat(peer.qkey()).isEqualTo(0x01234567);
        send(client, peer);
        receive(server, client);
        assertThatThrownBy(() -> route.connect(NOTHING, PATIENCE))
                .isInstanceOf(ClosedException.class);
    }

    /** Receives can be posted before; what {@code init} has set for them to match does not stay. */
    @Test
    void aQueuePairInInitIsGivenTheQkey() throws Exception {
        UdListener listener = udListener();
        QueuePair server = ud();
        server.init();
        server.postRecv(receive(1));
        QueuePair client = ud();
        client.init();
        UdRoute route = udRoute(listener);
        route.init(client);
        var asking = f.start("client", () -> route.connect(NOTHING, PATIENCE));
        UdRequest request = f.own(listener.accept(PATIENCE));
        request.init(server);
        request.accept(server, NOTHING);
        assertThat(server.query().qkey()).isEqualTo(0x01234567);
        assertThat(client.query().qkey()).isEqualTo(0x01234567);
        send(client, asking.get());
        receive(server, client);
    }

    /** One queue pair answers any number of clients. */
    @Test
    void aQueuePairServesMany() throws Exception {
        UdListener listener = udListener();
        QueuePair server = ud();
        for (int i = 0; i < 3; i++) {
            UdRoute route = udRoute(listener);
            var client = f.start("client", () -> route.connect(NOTHING, PATIENCE));
            UdRequest request = f.own(listener.accept(PATIENCE));
            if (i == 0) {
                request.init(server);
            }
            request.accept(server, NOTHING);
            assertThat(client.get().qpNum()).isEqualTo(server.qpNum());
        }
    }

    /** The ports of connections and of datagrams have nothing to do with each other. */
    @Test
    void portsAreOfTheirOwn() throws Exception {
        RdmaListener connections = listener();
        UdListener datagrams = f.own(cm.listenUd(connections.localAddress()));
        assertThat(datagrams.localAddress()).isEqualTo(connections.localAddress());
        assertThatThrownBy(() -> cm.listenUd(datagrams.localAddress()))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContaining("EADDRINUSE");
    }

    @Test
    void aRefusedPortIsToldAtOnce() throws Exception {
        UdListener gone = udListener();
        UdRoute route = udRoute(gone);
        gone.close();
        var refused =
                catchThrowableOfType(
                        RejectedException.class, () -> route.connect(NOTHING, PATIENCE));
        assertThat(refused.reason()).isEqualTo(1);
        assertThat(refused)
                .hasMessageContaining("rdma_connect")
                .hasMessageContaining(Checks.text(gone.localAddress()))
                .hasMessageContaining("nothing listens on that port");
    }

    @Test
    void aRejectionCarriesPrivateData() throws Exception {
        UdListener listener = udListener();
        UdRoute route = udRoute(listener);
        var client = f.start("client", () -> route.connect(NOTHING, PATIENCE));
        UdRequest request = listener.accept();
        request.reject(HELLO);
        var rejected = (RejectedException) client.failure();
        assertThat(rejected.reason()).isEqualTo(2);
        assertThat(rejected).hasMessageContaining("the peer's program has rejected it");
        assertThat(rejected.privateData()).isEqualTo(padded(HELLO, 136));
        assertThatThrownBy(() -> request.reject(NOTHING)).isInstanceOf(ClosedException.class);
    }

    /** A request that nobody answers, and whose listener is closed, is rejected. */
    @Test
    void aClosedListenerRejects() throws Exception {
        UdListener listener = udListener();
        UdRoute route = udRoute(listener);
        var client = f.start("client", () -> route.connect(NOTHING, PATIENCE)).parked();
        listener.close();
        assertThat(client.failure()).isInstanceOf(RejectedException.class);
        assertThatThrownBy(listener::accept).isInstanceOf(ClosedException.class);
    }

    /** A client that gives up is not missed: the server's answer is no error. */
    @Test
    void aSilentServerIsGivenUp() throws Exception {
        UdListener listener = udListener();
        UdRoute route = udRoute(listener);
        assertThatThrownBy(() -> route.connect(NOTHING, SHORT))
                .isInstanceOf(ConnectionTimeoutException.class)
                .hasMessageContaining("no answer within " + SHORT);
        QueuePair server = ud();
        try (UdRequest late = listener.accept()) {
            late.accept(server, NOTHING);
        }
        assertThat(listener.accept(Duration.ZERO)).isNull();
    }

    /** A close and an interrupt end the wait. */
    @Test
    void waitsEndAsTheyShould() throws Exception {
        UdListener listener = udListener();
        UdRoute first = udRoute(listener);
        UdRoute second = udRoute(listener);
        var closed = f.start("closed", () -> first.connect(NOTHING, PATIENCE)).parked();
        first.close();
        assertThat(closed.failure()).isInstanceOf(ClosedException.class);
        var interrupted = f.start("interrupted", () -> second.connect(NOTHING, PATIENCE)).parked();
        interrupted.thread.interrupt();
        assertThat(interrupted.failure()).isInstanceOf(InterruptedException.class);
    }

    /** What is sent to a group gets to the queue pairs that are attached. */
    @Test
    void aGroupIsJoined() throws Exception {
        MulticastGroup group = f.own(cm.joinMulticast(anyPort(), GROUP, PATIENCE));
        assertThat(group.deviceName()).isEqualTo(Fixture.DEVICE);
        assertThat(group.port()).isOne();
        UdPeer to = group.peer();
        assertThat(to.qpNum()).isEqualTo(0xffffff);
        assertThat(to.qkey()).isEqualTo(0x01234567);
        assertThat(to.privateData()).isEmpty();
        assertThat(to.address().dgid()).hasToString("0000:0000:0000:0000:0000:ffff:ef01:0203");
        QueuePair sender = ud();
        QueuePair receiver = ud();
        group.init(sender);
        group.init(receiver);
        group.attach(receiver);
        receiver.postRecv(receive(1));
        send(sender, to);
        receive(receiver, sender);
        group.detach(receiver);
        group.attach(receiver);
        group.close();
        receiver.close(); // it is detached
        assertThatThrownBy(() -> group.attach(receiver)).isInstanceOf(ClosedException.class);
        // It can be joined again.
        f.own(cm.joinMulticast(anyPort(), GROUP, PATIENCE)).close();
    }
}
