package io.loomverbs.cm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;

/**
 * What every connection manager must do, tried on the one of the device of {@link Fixture}: what
 * the classes have in common that try it.
 */
@Tag("device")
@Timeout(120)
abstract class CmContract {
    static final Duration PATIENCE = Fixture.PATIENCE;

    final Fixture f = new Fixture();
    final ConnectionManager cm = ConnectionManager.of(f.context.device());
    final MemoryRegion memory = f.mr(Fixture.BUFFER);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    static InetSocketAddress anyPort() {
        return new InetSocketAddress(Fixture.host(), 0);
    }

    RdmaListener listener() {
        return f.own(cm.listen(anyPort()));
    }

    RdmaRoute route(RdmaListener to) throws InterruptedException {
        return route(to.localAddress());
    }

    private RdmaRoute route(InetSocketAddress to) throws InterruptedException {
        return f.own(cm.resolve(to, PATIENCE));
    }

    QueuePair qp(CompletionQueue cq) {
        return f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq)));
    }

    QueuePair qp() {
        return qp(f.direct());
    }

    RecvWorkRequest receive(long wrId) {
        return RecvWorkRequest.allocate(1).wrId(wrId).sge(memory, 4096, 64);
    }

    SendWorkRequest message(long wrId) {
        return SendWorkRequest.allocate(1, 0).wrId(wrId).send().sge(memory, 0, 8).signaled();
    }

    /** Private data as the peer sees it. */
    static byte[] padded(byte[] data, int length) {
        return Arrays.copyOf(data, length);
    }

    /** Both ends of one connection. */
    final class Connected {
        final RdmaConnection client;
        final RdmaConnection server;

        Connected() throws Exception {
            this(listener());
        }

        Connected(RdmaListener listener) throws Exception {
            this(listener, listener.localAddress().getAddress());
        }

        /** With a listener that may be at every address. */
        Connected(RdmaListener listener, InetAddress at) throws Exception {
            var accepting = f.start("accept", () -> f.own(accept(listener)));
            int port = listener.localAddress().getPort();
            RdmaRoute route = route(new InetSocketAddress(at, port));
            QueuePair qp = qp();
            route.init(qp);
            qp.postRecv(receive(1));
            client = f.own(route.connect(qp, PATIENCE));
            server = accepting.get();
        }

        private RdmaConnection accept(RdmaListener listener) throws Exception {
            ConnectRequest request = listener.accept();
            QueuePair qp = qp();
            request.init(qp);
            qp.postRecv(receive(1));
            return request.accept(qp);
        }

        void exchange() {
            send(client, server);
            send(server, client);
        }
    }

    /** One message; the receiver has posted for it. */
    void send(RdmaConnection from, RdmaConnection to) {
        from.queuePair().postSend(message(2));
        WorkCompletion sent = Fixture.pollOne(from.queuePair().sendCq());
        assertThat(sent.status()).isEqualTo(WcStatus.SUCCESS);
        WorkCompletion received = Fixture.pollOne(to.queuePair().recvCq());
        assertThat(received.status()).isEqualTo(WcStatus.SUCCESS);
        to.queuePair().postRecv(receive(1));
    }
}
