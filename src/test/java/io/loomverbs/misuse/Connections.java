package io.loomverbs.misuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.MulticastGroup;
import io.loomverbs.cm.RdmaConnection;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;
import io.loomverbs.cm.RejectedException;
import io.loomverbs.cm.UdListener;
import io.loomverbs.cm.UdRequest;
import io.loomverbs.cm.UdRoute;
import io.loomverbs.support.Fixture;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/** One object of each kind of the connection manager, made when it is first asked for. */
@SuppressWarnings("try") // joins threads, which may be interrupted
final class Connections implements AutoCloseable {
    private final Fixture f;
    static final InetSocketAddress GROUP = new InetSocketAddress("239.1.2.3", 0);

    /** What rejects them. */
    private final List<Runnable> unanswered = new ArrayList<>();

    private final List<Fixture.Task<?>> waiting = new ArrayList<>();
    final ConnectionManager cm;
    private @Nullable RdmaListener listener;
    private @Nullable RdmaRoute route;
    private @Nullable ConnectRequest request;
    private @Nullable RdmaConnection connection;
    private @Nullable UdListener udListener;
    private @Nullable UdRoute udRoute;
    private @Nullable UdRequest udRequest;
    private @Nullable MulticastGroup group;

    Connections(Fixture f) {
        this.f = f;
        this.cm = ConnectionManager.of(f.context.device());
    }

    static InetSocketAddress anyPort() {
        return new InetSocketAddress(Fixture.host(), 0);
    }

    private QueuePair qp() {
        return f.own(f.pd.createQp(QpConfig.of(QpType.RC, f.polled())));
    }

    RdmaListener listener() {
        if (listener == null) {
            listener = f.own(cm.listen(anyPort()));
        }
        return listener;
    }

    RdmaRoute route() throws InterruptedException {
        if (route == null) {
            route = newRoute();
        }
        return route;
    }

    RdmaRoute newRoute() throws InterruptedException {
        return f.own(cm.resolve(listener().localAddress(), Fixture.PATIENCE));
    }

    ConnectRequest request() throws InterruptedException {
        if (request == null) {
            request = newRequest();
        }
        return request;
    }

    /** Its client waits until it is answered, or closed at the end. */
    ConnectRequest newRequest() throws InterruptedException {
        RdmaRoute from = newRoute();
        waiting.add(f.start("client", () -> from.connect(qp(), Fixture.PATIENCE)));
        ConnectRequest received = f.own(listener().accept());
        unanswered.add(received::close);
        return received;
    }

    RdmaConnection connection() throws Exception {
        if (connection == null) {
            connection = newConnection();
        }
        return connection;
    }

    RdmaConnection newConnection() throws Exception {
        RdmaRoute from = newRoute();
        var client = f.start("client", () -> f.own(from.connect(qp(), Fixture.PATIENCE)));
        RdmaConnection server = f.own(f.own(listener().accept()).accept(qp()));
        client.get();
        return server;
    }

    UdListener udListener() {
        if (udListener == null) {
            udListener = f.own(cm.listenUd(anyPort()));
        }
        return udListener;
    }

    UdRoute udRoute() throws InterruptedException {
        if (udRoute == null) {
            udRoute = newUdRoute();
        }
        return udRoute;
    }

    UdRoute newUdRoute() throws InterruptedException {
        return f.own(cm.resolveUd(udListener().localAddress(), Fixture.PATIENCE));
    }

    UdRequest udRequest() throws InterruptedException {
        if (udRequest == null) {
            udRequest = newUdRequest();
        }
        return udRequest;
    }

    /** As {@link #newRequest}. */
    UdRequest newUdRequest() throws InterruptedException {
        UdRoute from = newUdRoute();
        waiting.add(f.start("client", () -> from.connect(new byte[0], Fixture.PATIENCE)));
        UdRequest received = f.own(udListener().accept());
        unanswered.add(received::close);
        return received;
    }

    MulticastGroup group() throws InterruptedException {
        if (group == null) {
            group = newGroup();
        }
        return group;
    }

    MulticastGroup newGroup() throws InterruptedException {
        return f.own(cm.joinMulticast(anyPort(), GROUP, Fixture.PATIENCE));
    }

    /** The clients of requests that were not answered are rejected. */
    @Override
    public void close() throws InterruptedException {
        unanswered.forEach(Runnable::run);
        for (Fixture.Task<?> client : waiting) {
            assertThat(client.failure()).isInstanceOf(RejectedException.class);
        }
    }
}
