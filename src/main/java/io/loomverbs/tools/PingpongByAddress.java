package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.ConnectionConfig;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.RdmaConnection;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;

/**
 * A ping-pong whose ends find each other through the connection manager. The server, which sends
 * the last message, disconnects first: by then each message of either end is acknowledged.
 */
final class PingpongByAddress {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Context context;
    private final PingpongPlan plan;
    private final Consumer<String> told;
    private final ConnectionManager manager;
    private final Pingpong pingpong;

    PingpongByAddress(Context context, PingpongPlan plan, Consumer<String> told) {
        this.context = context;
        this.plan = plan;
        this.told = told;
        this.manager = ConnectionManager.of(context.device());
        this.pingpong = new Pingpong(context, plan, told);
    }

    /** Plays both ends, of which the server listens at {@code address}. */
    Pingpong.Result local(InetSocketAddress address) throws InterruptedException {
        try (ProtectionDomain pd = context.allocPd();
                RdmaListener listener = manager.listen(address);
                RdmaRoute route = resolve(listener.localAddress());
                PingpongEnd ping = new PingpongEnd(pd, plan, true, route::init)) {
            FutureTask<Accepted> accepting = new FutureTask<>(() -> accept(pd, listener));
            Thread.startVirtualThread(accepting);
            try (RdmaConnection client = connect(route, ping);
                    Accepted server = accepting.get()) {
                tell(client);
                Pingpong.Result result = pingpong.play(ping, server.end());
                server.connection().disconnect();
                awaitDisconnect(client);
                return result;
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("the server failed: " + e.getCause(), e.getCause());
        }
    }

    /** Plays with the server of another process. */
    Pingpong.Result client(InetSocketAddress server) throws InterruptedException {
        try (ProtectionDomain pd = context.allocPd();
                RdmaRoute route = resolve(server);
                PingpongEnd end = new PingpongEnd(pd, plan, true, route::init);
                RdmaConnection connection = connect(route, end)) {
            tell(connection);
            Pingpong.Result result = pingpong.play(end, true);
            awaitDisconnect(connection);
            return result;
        }
    }

    /** Plays with the first client that comes. */
    Pingpong.Result server(InetSocketAddress address) throws InterruptedException {
        try (ProtectionDomain pd = context.allocPd();
                RdmaListener listener = manager.listen(address)) {
            told.accept("  listening at " + listener.localAddress());
            try (Accepted accepted = accept(pd, listener)) {
                tell(accepted.connection());
                return pingpong.play(accepted.end(), false);
            }
        }
    }

    private RdmaRoute resolve(InetSocketAddress server) throws InterruptedException {
        RdmaRoute route = manager.resolve(server, PATIENCE);
        String device = context.device().name();
        if (!route.deviceName().equals(device)) {
            route.close();
            throw new IllegalStateException(
                    "the way to "
                            + server
                            + " is over "
                            + route.deviceName()
                            + ", not "
                            + device
                            + ": name that device with -d");
        }
        return route;
    }

    private RdmaConnection connect(RdmaRoute route, PingpongEnd end) throws InterruptedException {
        return route.connect(end.queuePair(), ConnectionConfig.defaults(), PATIENCE);
    }

    /** A server's end, with its connection, which is closed first. */
    private record Accepted(PingpongEnd end, RdmaConnection connection) implements AutoCloseable {
        @Override
        public void close() {
            try {
                connection.close();
            } finally {
                end.close();
            }
        }
    }

    private Accepted accept(ProtectionDomain pd, RdmaListener listener)
            throws InterruptedException {
        try (ConnectRequest request = listener.accept()) {
            PingpongEnd end = new PingpongEnd(pd, plan, false, request::init);
            boolean accepted = false;
            try {
                RdmaConnection connection =
                        request.accept(end.queuePair(), ConnectionConfig.defaults(), PATIENCE);
                accepted = true;
                return new Accepted(end, connection);
            } finally {
                if (!accepted) {
                    end.close();
                }
            }
        }
    }

    private static void awaitDisconnect(RdmaConnection connection) throws InterruptedException {
        if (!connection.awaitDisconnect(PATIENCE)) {
            throw new IllegalStateException(
                    "the server has not disconnected within " + PATIENCE + ": " + connection);
        }
    }

    private void tell(RdmaConnection connection) {
        told.accept("  local address:  " + connection.localAddress());
        told.accept("  remote address: " + connection.peerAddress());
    }
}
