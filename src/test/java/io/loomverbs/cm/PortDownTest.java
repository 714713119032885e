package io.loomverbs.cm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Verbs;
import io.loomverbs.support.Fixture;
import io.loomverbs.testkit.Faults;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.net.InetSocketAddress;
import java.time.Duration;

/** What a port that is down keeps from an embedded device's connection manager. */
@Timeout(60)
class PortDownTest {
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Fixture f = new Fixture();
    private final Context context = f.own(Verbs.device("soft0").open());
    private final ProtectionDomain pd = f.own(context.allocPd());
    private final CompletionQueue cq = f.own(context.createDirectCq(16));
    private final Faults faults = Faults.of(context);
    private final ConnectionManager cm = ConnectionManager.of(context.device());
    private final RdmaListener listener = f.own(cm.listen(new InetSocketAddress("10.0.0.1", 0)));

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private QueuePair qp() {
        return f.own(pd.createQp(QpConfig.of(QpType.RC, cq)));
    }

    /** Of a context whose port stays up. */
    private QueuePair otherQp() {
        Context other = f.own(Verbs.device("soft0").open());
        ProtectionDomain domain = f.own(other.allocPd());
        return f.own(domain.createQp(QpConfig.of(QpType.RC, f.own(other.createDirectCq(16)))));
    }

    private RdmaRoute route() throws InterruptedException {
        return f.own(cm.resolve(listener.localAddress(), PATIENCE));
    }

    /** "All" is where to listen; a connection is from one address. */
    @Test
    void aConnectionHasALocalAddress() throws Exception {
        InetSocketAddress any = new InetSocketAddress("0.0.0.0", 0);
        for (int i = 0; i < 2; i++) {
            try (RdmaRoute route = cm.resolve(any, listener.localAddress(), PATIENCE)) {
                InetSocketAddress local = route.localAddress();
                assertThat(local.getAddress().isAnyLocalAddress()).isFalse();
                assertThat(local.getPort()).isPositive();
                any = new InetSocketAddress("0.0.0.0", local.getPort()); // which is free again
            }
        }
    }

    /** The server hears nothing, and the client gets no answer. */
    @Test
    void aRequestDoesNotGetOut() throws Exception {
        faults.portDown();
        RdmaRoute route = route();
        QueuePair qp = qp();
        assertThatThrownBy(() -> route.connect(qp, SHORT))
                .isInstanceOf(ConnectionTimeoutException.class);
        assertThat(listener.accept(Duration.ZERO)).isNull();
        faults.portUp();
        RdmaRoute again = route();
        QueuePair fresh = qp();
        var client = f.start("client", () -> f.own(again.connect(fresh, PATIENCE)));
        f.own(listener.accept().accept(otherQp())).close();
        client.get().awaitDisconnect();
    }

    /** The client hears nothing, and the server gets no confirmation. */
    @Test
    void anAnswerDoesNotGetOut() throws Exception {
        RdmaRoute route = route();
        QueuePair qp = otherQp();
        var client = f.start("client", () -> route.connect(qp, Duration.ofMillis(500)));
        ConnectRequest request = f.own(listener.accept());
        faults.portDown();
        QueuePair server = qp();
        assertThatThrownBy(() -> request.accept(server, ConnectionConfig.defaults(), SHORT))
                .isInstanceOf(ConnectionTimeoutException.class)
                .hasMessageContaining("not confirmed");
        assertThat(client.failure()).isInstanceOf(ConnectionException.class);
    }

    /** The server accepts or rejects a client that hears nothing of it. */
    @Test
    void anAnswerDoesNotGetIn() throws Exception {
        for (boolean rejects : new boolean[] {true, false}) {
            RdmaRoute route = route();
            QueuePair qp = qp();
            var client = f.start("client", () -> route.connect(qp, Duration.ofMillis(500)));
            ConnectRequest request = f.own(listener.accept());
            faults.portDown();
            QueuePair server = otherQp();
            if (rejects) {
                request.reject();
            } else {
                assertThatThrownBy(() -> request.accept(server, ConnectionConfig.defaults(), SHORT))
                        .isInstanceOf(ConnectionTimeoutException.class);
            }
            assertThat(client.failure()).isInstanceOf(ConnectionTimeoutException.class);
            faults.portUp();
        }
    }

    @Test
    void anAnswerWithAnAddressDoesNotGetOut() throws Exception {
        UdListener datagrams = f.own(cm.listenUd(new InetSocketAddress("10.0.0.1", 0)));
        UdRoute route = f.own(cm.resolveUd(datagrams.localAddress(), PATIENCE));
        QueuePair ud = f.own(pd.createQp(QpConfig.of(QpType.UD, cq)));
        byte[] nothing = {};
        var client = f.start("client", () -> route.connect(nothing, Duration.ofMillis(500)));
        UdRequest request = f.own(datagrams.accept());
        request.init(ud);
        faults.portDown();
        request.accept(ud, nothing);
        assertThat(client.failure()).isInstanceOf(ConnectionTimeoutException.class);
    }

    /** Neither if the port is down, nor if the device is gone. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFarewellDoesNotGetIn(boolean lost) throws Exception {
        RdmaRoute route = route();
        QueuePair qp = qp();
        var connecting = f.start("client", () -> f.own(route.connect(qp, PATIENCE)));
        RdmaConnection server = f.own(listener.accept().accept(otherQp()));
        RdmaConnection client = connecting.get();
        if (lost) {
            faults.loseDevice();
        } else {
            faults.portDown();
        }
        server.disconnect();
        assertThat(server.awaitDisconnect(PATIENCE)).isTrue();
        assertThat(client.isDisconnected()).isFalse();
        if (!lost) {
            assertThat(qp.state()).isEqualTo(QpState.RTS);
            faults.portUp();
            client.disconnect();
            assertThat(client.awaitDisconnect(PATIENCE)).isTrue();
        }
    }

    /** The side that leaves has waited long enough; the other learns of it when it leaves. */
    @Test
    void aDisconnectionDoesNotGetOut() throws Exception {
        RdmaRoute route = route();
        QueuePair qp = qp();
        var connecting = f.start("client", () -> f.own(route.connect(qp, PATIENCE)));
        RdmaConnection server = f.own(listener.accept().accept(otherQp()));
        RdmaConnection client = connecting.get();
        faults.portDown();
        client.disconnect();
        assertThat(client.awaitDisconnect(PATIENCE)).isTrue();
        assertThat(server.isDisconnected()).isFalse();
        client.close();
        assertThat(server.isDisconnected()).isFalse();
        server.disconnect();
        assertThat(server.awaitDisconnect(PATIENCE)).isTrue();
    }
}
