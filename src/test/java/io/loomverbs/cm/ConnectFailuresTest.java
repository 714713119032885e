package io.loomverbs.cm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.ClosedException;
import io.loomverbs.QpState;
import io.loomverbs.QueuePair;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** Attempts to connect that come to nothing: each ends, and says why. */
class ConnectFailuresTest extends CmContract {
    private static final byte[] FULL = "full".getBytes(StandardCharsets.UTF_8);
    private static final Duration SHORT = Duration.ofMillis(200);

    /** A port on which nothing listens. */
    @Test
    void aRefusedPortIsToldAtOnce() throws Exception {
        RdmaListener gone = listener();
        RdmaRoute route = route(gone);
        gone.close();
        QueuePair qp = qp();
        var refused =
                catchThrowableOfType(RejectedException.class, () -> route.connect(qp, PATIENCE));
        assertThat(refused.reason()).isEqualTo(8);
        assertThat(refused)
                .hasMessageContaining("rdma_connect")
                .hasMessageContaining(Checks.text(gone.localAddress()))
                .hasMessageContaining("nothing listens on that port");
        assertThat(qp.state()).isEqualTo(QpState.ERR);
    }

    /** More than the device can do is refused on both sides; the peer learns that it is over. */
    @Test
    void depthsBeyondTheDeviceAreRefused() throws Exception {
        RdmaListener listener = listener();
        ConnectionConfig deep = ConnectionConfig.defaults().withInitiatorDepth(200);
        ConnectionConfig wide = ConnectionConfig.defaults().withResponderResources(200);
        for (ConnectionConfig config : List.of(deep, wide)) {
            assertThatThrownBy(() -> route(listener).connect(qp(), config, PATIENCE))
                    .isInstanceOf(ConnectionException.class)
                    .hasMessageContaining("rdma_connect: EINVAL")
                    .hasMessageContaining(config.toString())
                    .hasMessageContaining("than the device has");
            var client = f.start("client", () -> route(listener).connect(qp(), PATIENCE));
            ConnectRequest request = f.own(listener.accept(PATIENCE));
            assertThatThrownBy(() -> request.accept(qp(), config, PATIENCE))
                    .isInstanceOf(ConnectionException.class)
                    .hasMessageContaining("rdma_accept: EINVAL")
                    .hasMessageContaining(config.toString())
                    .hasMessageContaining("than the device has");
            assertThat(client.failure()).isInstanceOf(RejectedException.class);
        }
    }

    /** The queue pairs of iWARP have other steps: the device is named, and nothing hangs. */
    @Test
    void iwarpIsRefusedByName() {
        ScriptedId id = new ScriptedId();
        id.device = "iwarp0";
        id.transportType = Ibv.TRANSPORT_IWARP;
        ConnectionManager scripted =
                new ConnectionManager(
                        "scripted",
                        (events, ps) -> {
                            events.event(CmEvent.of(Cm.EVENT_ADDR_RESOLVED, 0));
                            return id;
                        });
        String named = "EOPNOTSUPP";
        String why = "iwarp0 is an iWARP device";
        assertThatThrownBy(() -> scripted.resolve(anyPort(), PATIENCE))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContainingAll("rdma_resolve_addr: " + named, why);
        assertThat(id.destructions).isOne();
        assertThatThrownBy(() -> scripted.listen(anyPort()))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContainingAll("rdma_bind_addr: " + named, why);
        assertThat(id.destructions).isEqualTo(2);
        var event = CmEvent.of(Cm.EVENT_CONNECT_REQUEST, 0, new byte[0], id);
        ConnectRequest request = f.own(ConnectRequest.of(id, event));
        assertThatThrownBy(() -> request.init(qp()))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContainingAll("rdma_accept: " + named, why);
        assertThatThrownBy(() -> request.accept(qp()))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContainingAll("rdma_accept: " + named, why);
    }

    /** What the server says with its rejection arrives, with its padding. */
    @Test
    void aRejectionCarriesPrivateData() throws Exception {
        RdmaListener listener = listener();
        var server =
                f.start(
                        "reject",
                        () -> {
                            ConnectRequest request = listener.accept();
                            request.reject(FULL);
                            return request;
                        });
        var rejected =
                catchThrowableOfType(
                        RejectedException.class, () -> route(listener).connect(qp(), PATIENCE));
        assertThat(rejected.reason()).isEqualTo(28);
        assertThat(rejected.privateData()).isEqualTo(padded(FULL, 148));
        assertThatThrownBy(() -> server.get().reject()).isInstanceOf(ClosedException.class);
    }

    /** A server that does not answer: rdma_cm would wait with no limit. */
    @Test
    void aSilentServerIsGivenUp() throws Exception {
        RdmaListener listener = listener();
        RdmaRoute route = route(listener);
        QueuePair qp = qp();
        assertThatThrownBy(() -> route.connect(qp, SHORT))
                .isInstanceOf(ConnectionTimeoutException.class)
                .hasMessageContaining("rdma_connect: ETIMEDOUT: no answer within " + SHORT)
                .hasMessageContaining(Checks.text(listener.localAddress()));
        assertThat(qp.state()).isEqualTo(QpState.ERR);
        assertThatThrownBy(() -> route.connect(qp(), SHORT))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessageContaining("was used already");
        // The server finds out when it answers: the client is not there any more.
        ConnectRequest late = f.own(listener.accept());
        QueuePair server = qp();
        assertThatThrownBy(() -> late.accept(server))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContaining("the peer has gone");
    }

    /** A rejection of a client that has gone is no error. */
    @Test
    void aClientThatHasGoneCanBeRejected() throws Exception {
        RdmaListener listener = listener();
        RdmaRoute route = route(listener);
        assertThatThrownBy(() -> route.connect(qp(), SHORT))
                .isInstanceOf(ConnectionTimeoutException.class);
        ConnectRequest late = listener.accept();
        late.reject(FULL);
        late.close();
    }

    /** The thread that connects can be interrupted. */
    @Test
    void anInterruptGivesUp() throws Exception {
        RdmaListener listener = listener();
        RdmaRoute route = route(listener);
        QueuePair qp = qp();
        var client = f.start("client", () -> route.connect(qp, PATIENCE));
        ConnectRequest request = f.own(listener.accept());
        client.parked().thread.interrupt();
        assertThat(client.failure()).isInstanceOf(InterruptedException.class);
        assertThat(qp.state()).isEqualTo(QpState.ERR);
        request.close();
    }

    /** A route that is closed ends the attempt of another thread. */
    @Test
    void aCloseOfTheRouteEndsTheAttempt() throws Exception {
        RdmaListener listener = listener();
        RdmaRoute route = route(listener);
        var client = f.start("client", () -> route.connect(qp(), PATIENCE));
        ConnectRequest request = f.own(listener.accept());
        client.parked();
        route.close();
        assertThat(client.failure())
                .isInstanceOf(ClosedException.class)
                .hasMessage(route + " is closed");
        request.close();
    }

    /** An address without a route. */
    @Test
    void anUnreachableAddressIsTold() {
        InetSocketAddress nowhere = new InetSocketAddress("192.0.2.1", 7471);
        assertThatThrownBy(() -> cm.resolve(nowhere, PATIENCE))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContaining("rdma_resolve_addr: ENETUNREACH")
                .hasMessageContaining("192.0.2.1:7471")
                .hasMessageContaining("ip route get");
    }

    /** The peer's queue pair breaks: the other end hears of it when its program closes. */
    @Test
    void aServerThatGoesAwayBeforeItAcceptsRejects() throws Exception {
        RdmaListener listener = listener();
        RdmaRoute route = route(listener);
        var client = f.start("client", () -> route.connect(qp(), PATIENCE));
        ConnectRequest request = listener.accept();
        client.parked();
        request.close();
        assertThat(client.failure()).isInstanceOf(RejectedException.class);
    }

    /**
     * A request that waits when its listener closes is rejected; one that was received lives on.
     */
    @Test
    void requestsOutliveTheirListenerOnceReceived() throws Exception {
        RdmaListener listener = listener();
        RdmaRoute first = route(listener);
        RdmaRoute second = route(listener);
        var received = f.start("first", () -> f.own(first.connect(qp(), PATIENCE)));
        ConnectRequest request = listener.accept();
        var waiting = f.start("second", () -> second.connect(qp(), PATIENCE)).parked();
        listener.close();
        assertThat(waiting.failure()).isInstanceOf(RejectedException.class);
        RdmaConnection server = f.own(request.accept(qp()));
        server.close();
        received.get().awaitDisconnect();
    }

    /** A backlog of one: a second request that waits is rejected. */
    @Test
    void aFullBacklogRejects() throws Exception {
        RdmaListener listener = f.own(cm.listen(anyPort(), 1));
        RdmaRoute first = route(listener);
        RdmaRoute second = route(listener);
        QueuePair a = qp();
        QueuePair b = qp();
        var one = f.start("one", () -> first.connect(a, PATIENCE));
        var two = f.start("two", () -> second.connect(b, PATIENCE));
        Fixture.eventually("one is rejected", () -> one.isDone() || two.isDone());
        listener.accept().close();
        assertThat(one.failure()).isInstanceOf(RejectedException.class);
        assertThat(two.failure()).isInstanceOf(RejectedException.class);
    }

    /** An accept is bounded, interruptible, and ends with its listener. */
    @Test
    void acceptEndsAsItShould() throws Exception {
        RdmaListener listener = listener();
        assertThat(listener.accept(Duration.ZERO)).isNull();
        assertThat(listener.accept(Duration.ofMillis(5))).isNull();
        var interrupted = f.start("interrupted", () -> listener.accept()).parked();
        interrupted.thread.interrupt();
        assertThat(interrupted.failure()).isInstanceOf(InterruptedException.class);
        var closed = f.start("closed", () -> listener.accept()).parked();
        listener.close();
        assertThat(closed.failure())
                .isInstanceOf(ClosedException.class)
                .hasMessage(listener + " is closed");
    }

    /** The port is free as soon as the listener is closed. */
    @Test
    void aPortCanBeUsedAgain() {
        RdmaListener listener = listener();
        assertThat(listener.localAddress().getPort()).isPositive();
        assertThatThrownBy(() -> cm.listen(listener.localAddress()))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContaining("EADDRINUSE");
        listener.close();
        f.own(cm.listen(listener.localAddress()));
    }

    /** A listener at every address takes what comes to one of them. */
    @Test
    void aWildcardListens() throws Exception {
        RdmaListener all = f.own(cm.listen(new InetSocketAddress(0)));
        InetSocketAddress here =
                new InetSocketAddress(Fixture.host(), all.localAddress().getPort());
        RdmaRoute route = f.own(cm.resolve(here, PATIENCE));
        var client = f.start("client", () -> f.own(route.connect(qp(), PATIENCE)));
        ConnectRequest request = f.own(all.accept());
        assertThat(request.localAddress()).isEqualTo(here);
        RdmaConnection server = f.own(request.accept(qp()));
        client.get();
        assertThat(server.isDisconnected()).isFalse();
    }

    /** An address of all needs its port at each. */
    @Test
    void aWildcardNeedsItsPortAtEachAddress() {
        RdmaListener listener = listener();
        var wildcard = new InetSocketAddress(listener.localAddress().getPort());
        assertThatThrownBy(() -> cm.listen(wildcard))
                .isInstanceOf(ConnectionException.class)
                .hasMessageContaining("rdma_bind_addr: EADDRNOTAVAIL: " + Checks.text(wildcard))
                .hasMessageContaining("another program listens on that port at one of them");
        listener.close();
        f.own(cm.listen(wildcard));
    }

    /** The address of all of IPv4 is none of IPv6. */
    @Test
    void aWildcardOfIpv4TakesNoIpv6() throws Exception {
        RdmaListener all = f.own(cm.listen(new InetSocketAddress("0.0.0.0", 0)));
        int port = all.localAddress().getPort();
        RdmaRoute route =
                f.own(cm.resolve(new InetSocketAddress(Fixture.hostOfIpv6(), port), PATIENCE));
        QueuePair qp = qp();
        var refused =
                catchThrowableOfType(RejectedException.class, () -> route.connect(qp, PATIENCE));
        assertThat(refused.reason()).isIn(8, 28); // the kernel's rdma_cm drops its own id of it
        all.close();
        RdmaListener both = f.own(cm.listen(new InetSocketAddress("::", port)));
        new Connected(both, Fixture.host()).exchange();
        new Connected(both, Fixture.hostOfIpv6()).exchange();
    }
}
