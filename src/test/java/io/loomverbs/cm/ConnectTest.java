package io.loomverbs.cm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.ApiObjects;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** Connecting, telling each other something, and leaving. */
class ConnectTest extends CmContract {
    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);
    private static final byte[] WELCOME = "welcome".getBytes(StandardCharsets.UTF_8);

    /**
     * The thinnest whole thing: a message each way, and each side hears that the other has left.
     */
    @Test
    void messagesGoBothWays() throws Exception {
        Connected c = new Connected();
        c.exchange();
        assertThat(c.client.isDisconnected()).isFalse();
        c.client.disconnect();
        c.server.awaitDisconnect();
        c.client.awaitDisconnect();
        assertThat(c.client.isDisconnected()).isTrue();
        c.client.close();
        c.server.close();
    }

    /** Without a time limit on either side. */
    @Test
    void bothSidesCanWaitWithoutALimit() throws Exception {
        RdmaListener listener = listener();
        var server = f.start("accept", () -> f.own(listener.accept().accept(qp())));
        RdmaConnection client = f.own(route(listener).connect(qp()));
        assertThat(server.get().queuePair().state()).isEqualTo(QpState.RTS);
        assertThat(client.queuePair().state()).isEqualTo(QpState.RTS);
    }

    @Test
    void addressesAreThoseOfBothEnds() throws Exception {
        Connected c = new Connected();
        assertThat(c.client.peerAddress()).isEqualTo(c.server.localAddress());
        assertThat(c.client.localAddress()).isEqualTo(c.server.peerAddress());
        assertThat(c.client.peerAddress().getAddress()).isEqualTo(Fixture.host());
        assertThat(c.client.localAddress().getPort()).isPositive();
        assertThat(c.client).hasToString("connection to " + text(c.client));
    }

    /** On a real device the address is a link-local one, whose scope has to be told. */
    @Test
    void ipv6Connects() throws Exception {
        InetAddress here = Fixture.hostOfIpv6();
        RdmaListener listener = f.own(cm.listen(new InetSocketAddress(here, 0)));
        assertThat(listener.localAddress().getAddress()).isEqualTo(here);
        Connected c = new Connected(listener);
        c.exchange();
        assertThat(c.client.peerAddress()).isEqualTo(listener.localAddress());
        assertThat(c.server.peerAddress().getAddress()).isEqualTo(here);
        assertThat(c.client).hasToString("connection to " + text(c.client));
        assertThat(text(c.client)).startsWith("[");
    }

    private static String text(RdmaConnection to) {
        return Checks.text(to.peerAddress());
    }

    /** Each side gets what the other has sent along, padded as the transport pads it. */
    @Test
    void privateDataArrives() throws Exception {
        RdmaListener listener = listener();
        var server =
                f.start(
                        "accept",
                        () -> {
                            ConnectRequest request = listener.accept();
                            assertThat(request.privateData()).isEqualTo(padded(HELLO, 56));
                            assertThat(request.deviceName()).isEqualTo(Fixture.DEVICE);
                            assertThat(request.port()).isEqualTo(1);
                            return f.own(
                                    request.accept(
                                            qp(),
                                            ConnectionConfig.defaults().withPrivateData(WELCOME),
                                            PATIENCE));
                        });
        RdmaRoute route = route(listener);
        assertThat(route.deviceName()).isEqualTo(Fixture.DEVICE);
        assertThat(route.port()).isEqualTo(1);
        RdmaConnection client =
                f.own(
                        route.connect(
                                qp(),
                                ConnectionConfig.defaults().withPrivateData(HELLO),
                                PATIENCE));
        assertThat(client.privateData()).isEqualTo(padded(WELCOME, 196));
        assertThat(server.get().privateData()).isEqualTo(padded(HELLO, 56));
        assertThat(server.get().queuePair().state()).isEqualTo(QpState.RTS);
        assertThat(client.queuePair().state()).isEqualTo(QpState.RTS);
    }

    /** What one side may ask for is what the other serves, and the reverse. */
    @Test
    void depthsAreNegotiated() throws Exception {
        RdmaListener listener = listener();
        var server =
                f.start(
                        "accept",
                        () -> {
                            ConnectRequest request = listener.accept();
                            assertThat(request.responderResources()).isEqualTo(2);
                            assertThat(request.initiatorDepth()).isEqualTo(3);
                            return f.own(
                                    request.accept(
                                            qp(),
                                            ConnectionConfig.defaults()
                                                    .withResponderResources(1)
                                                    .withInitiatorDepth(2)
                                                    .withRetryCount(3)
                                                    .withRnrRetryCount(2),
                                            PATIENCE));
                        });
        RdmaConnection client =
                f.own(
                        route(listener)
                                .connect(
                                        qp(),
                                        ConnectionConfig.defaults()
                                                .withResponderResources(3)
                                                .withInitiatorDepth(2)
                                                .withRetryCount(5)
                                                .withRnrRetryCount(4)
                                                .withAckTimeout(12)
                                                .withMinRnrTimer(9),
                                        PATIENCE));
        var attributes = server.get().queuePair().query();
        assertThat(attributes.maxDestRdAtomic()).isEqualTo(1);
        assertThat(attributes.maxRdAtomic()).isEqualTo(2);
        assertThat(attributes.retryCnt()).isEqualTo(5);
        assertThat(attributes.rnrRetry()).isEqualTo(4); // as the client wishes, and the reverse
        var clients = client.queuePair().query();
        assertThat(clients.maxRdAtomic()).isLessThanOrEqualTo(2);
        assertThat(clients.maxDestRdAtomic()).isLessThanOrEqualTo(3);
        assertThat(clients.retryCnt()).isEqualTo(5);
        assertThat(clients.rnrRetry()).isEqualTo(2);
        assertThat(clients.minRnrTimer()).isEqualTo(9);
        assertThat(attributes.minRnrTimer()).isEqualTo(12); // the default, on every device
        assertThat(clients.timeout()).isEqualTo(12);
    }

    /** The partition key and the port are the route's; the access is the program's. */
    @Test
    void aQueuePairInInitIsGivenWhatTheRouteNeeds() throws Exception {
        ScriptedId id = new ScriptedId();
        id.attributes =
                attr -> {
                    attr.portNum = 1;
                    attr.pkeyIndex = 0x7fff;
                    return Ibv.QP_STATE | Ibv.QP_PORT | Ibv.QP_PKEY_INDEX | Ibv.QP_ACCESS_FLAGS;
                };
        var endpoint = Endpoint.incoming("connection", id);
        RdmaRoute route = f.own(new RdmaRoute(endpoint, Fixture.DEVICE));
        QueuePair qp = qp();
        qp.init();
        assertThatThrownBy(() -> route.connect(qp, Duration.ZERO))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("pkeyIndex is 32767");
        RdmaListener listener = listener();
        var server = f.start("accept", () -> f.own(listener.accept().accept(qp())));
        QueuePair open = qp();
        open.init(Access.REMOTE_WRITE);
        f.own(route(listener).connect(open, PATIENCE));
        server.get();
        assertThat(open.query().access()).contains(Access.REMOTE_WRITE);
    }

    /** On InfiniBand the way may lead from another LID of the port, and be slower than the port. */
    @Test
    void thePathBitsAndTheRateOfTheWayAreKept() throws Exception {
        Connected c = new Connected();
        QpAttr peer = new QpAttr();
        ApiObjects.get().opsOfQp(c.client.queuePair()).query(peer);
        AhAttr way =
                new AhAttr(
                        peer.av.dgidHigh(),
                        peer.av.dgidLow(),
                        true,
                        peer.av.sgidIndex(),
                        64,
                        0,
                        0,
                        0,
                        0,
                        1,
                        3,
                        5);
        ScriptedId id = new ScriptedId();
        id.attributes =
                attr -> {
                    attr.portNum = 1;
                    attr.av = way;
                    attr.pathMtu = 3;
                    return switch (attr.qpState) {
                        case Ibv.QPS_INIT -> Ibv.QP_PORT | Ibv.QP_PKEY_INDEX;
                        case Ibv.QPS_RTR ->
                                Ibv.QP_AV
                                        | Ibv.QP_PATH_MTU
                                        | Ibv.QP_DEST_QPN
                                        | Ibv.QP_RQ_PSN
                                        | Ibv.QP_MAX_DEST_RD_ATOMIC
                                        | Ibv.QP_MIN_RNR_TIMER;
                        default ->
                                Ibv.QP_SQ_PSN
                                        | Ibv.QP_TIMEOUT
                                        | Ibv.QP_RETRY_CNT
                                        | Ibv.QP_RNR_RETRY
                                        | Ibv.QP_MAX_QP_RD_ATOMIC;
                    };
                };
        var endpoint = Endpoint.incoming("connection", id);
        RdmaRoute route = f.own(new RdmaRoute(endpoint, Fixture.DEVICE));
        endpoint.event(CmEvent.of(Cm.EVENT_CONNECT_RESPONSE, 0, new byte[0], null));
        QueuePair qp = qp();
        f.own(route.connect(qp, PATIENCE));
        QpAttr has = new QpAttr();
        ApiObjects.get().opsOfQp(qp).query(has);
        if (Differences.EMBEDDED) { // soft-RoCE needs neither, and does not report them
            assertThat(has.av.srcPathBits()).isEqualTo(3);
            assertThat(has.av.staticRate()).isEqualTo(5);
        }
    }

    /** Each side is told whether the other takes its receives from an SRQ. */
    @ParameterizedTest
    @CsvSource({"true, false", "false, true", "true, true"})
    void sharedReceiveQueuesAreTold(boolean ofClient, boolean ofServer) throws Exception {
        RdmaListener listener = listener();
        var accepting =
                f.start(
                        "accept",
                        () -> {
                            ConnectRequest request = listener.accept();
                            assertThat(request.peerUsesSrq()).isEqualTo(ofClient);
                            return f.own(request.accept(qp(ofServer)));
                        });
        RdmaConnection client = f.own(route(listener).connect(qp(ofClient), PATIENCE));
        RdmaConnection server = accepting.get();
        assertThat(client.peerUsesSrq()).isEqualTo(ofServer);
        assertThat(server.peerUsesSrq()).isEqualTo(ofClient);
        sendFrom(client, server);
        sendFrom(server, client);
    }

    private QueuePair qp(boolean ofSrq) {
        if (!ofSrq) {
            return qp();
        }
        SharedReceiveQueue srq = f.own(f.pd.createSrq(SrqAttributes.of(4)));
        return f.own(f.pd.createQp(QpConfig.of(QpType.RC, f.direct()).withSrq(srq)));
    }

    private void sendFrom(RdmaConnection from, RdmaConnection to) {
        SharedReceiveQueue srq = to.queuePair().srq();
        if (srq == null) {
            to.queuePair().postRecv(receive(1));
        } else {
            srq.postRecv(receive(1));
        }
        from.queuePair().postSend(message(2));
        for (CompletionQueue cq : List.of(from.queuePair().sendCq(), to.queuePair().recvCq())) {
            assertThat(Fixture.pollOne(cq).status()).isEqualTo(WcStatus.SUCCESS);
        }
    }

    /** A thread that waits for a completion is woken when the peer leaves: no other has to wait. */
    @Test
    void theEndOfThePeerFlushesTheQueuePair() throws Exception {
        Connected c = new Connected();
        var waiting =
                f.start(
                                "receive",
                                () -> {
                                    WorkCompletions batch = WorkCompletions.allocate(4);
                                    int n = c.server.queuePair().recvCq().await(batch);
                                    assertThat(n).isEqualTo(1);
                                    return batch.get(0).status();
                                })
                        .parked();
        c.client.close();
        assertThat(waiting.get()).isEqualTo(WcStatus.WR_FLUSH_ERR);
        c.server.awaitDisconnect();
        assertThat(c.server.queuePair().state()).isEqualTo(QpState.ERR);
    }

    /** Both leave at once: each is told that the connection is over. */
    @Test
    void bothMayLeaveAtOnce() throws Exception {
        for (int i = 0; i < 20; i++) {
            Connected c = new Connected();
            var other = f.start("server", () -> leave(c.server));
            leave(c.client);
            other.get();
            c.client.close();
            c.server.close();
        }
    }

    private static boolean leave(RdmaConnection connection) throws InterruptedException {
        connection.disconnect();
        assertThat(connection.awaitDisconnect(PATIENCE)).isTrue();
        connection.disconnect();
        return true;
    }

    /** A close of a connection ends the waits for its end, and closes its queue pair. */
    @Test
    void aCloseEndsTheWaitForTheEnd() throws Exception {
        Connected c = new Connected();
        var waiting =
                f.start(
                                "wait",
                                () -> {
                                    c.client.awaitDisconnect();
                                    return null;
                                })
                        .parked();
        c.client.close();
        c.client.close();
        assertThat(waiting.failure())
                .isInstanceOf(ClosedException.class)
                .hasMessage(c.client + " is closed");
        var thrown =
                catchThrowableOfType(ClosedException.class, () -> c.client.queuePair().state());
        assertThat(thrown).isNotNull();
        c.server.awaitDisconnect();
    }

    /** Waiting has an end of its own, too. */
    @Test
    void waitsForTheEndAreBounded() throws Exception {
        Connected c = new Connected();
        assertThat(c.client.awaitDisconnect(Duration.ZERO)).isFalse();
        assertThat(c.client.awaitDisconnect(Duration.ofMillis(5))).isFalse();
        var waiting =
                f.start(
                                "wait",
                                () -> {
                                    c.client.awaitDisconnect();
                                    return null;
                                })
                        .parked();
        waiting.thread.interrupt();
        assertThat(waiting.failure()).isInstanceOf(InterruptedException.class);
        c.exchange();
    }

    /** The server answers nothing until it is asked: a request that is closed is rejected. */
    @Test
    void aQueuePairStaysOpenWhenAnAttemptFails() throws Exception {
        RdmaListener listener = listener();
        var server =
                f.start(
                        "close",
                        () -> {
                            listener.accept().close();
                            return null;
                        });
        RdmaRoute route = route(listener);
        QueuePair qp = qp();
        route.init(qp);
        qp.postRecv(receive(7));
        var rejected =
                catchThrowableOfType(RejectedException.class, () -> route.connect(qp, PATIENCE));
        assertThat(rejected.reason()).isEqualTo(28);
        assertThat(rejected)
                .hasMessageContaining("rdma_connect")
                .hasMessageContaining("RDMA_CM_EVENT_REJECTED")
                .hasMessageContaining("the peer's program has rejected it");
        assertThat(qp.state()).isEqualTo(QpState.ERR);
        assertThat(Fixture.pollOne(qp.recvCq()).status()).isEqualTo(WcStatus.WR_FLUSH_ERR);
        server.get();
    }
}
