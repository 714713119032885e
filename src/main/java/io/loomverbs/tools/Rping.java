package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.Context;
import io.loomverbs.Device;
import io.loomverbs.Verbs;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.RdmaConnection;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Client and server of {@code rping}.
 *
 * @param device an embedded device, or null for those of the system
 * @param validate whether the client compares what comes back
 * @param tell takes the lines to print with {@code -v}
 */
record Rping(
        @Nullable Device device, int size, int count, boolean validate, Consumer<String> tell) {
    /** As the C program resolves. */
    private static final Duration RESOLVING = Duration.ofSeconds(2);

    private static final Duration CONNECTING = Duration.ofSeconds(30);

    ConnectionManager manager() {
        return device == null ? ConnectionManager.system() : ConnectionManager.of(device);
    }

    /** The device that the address belongs to, opened. */
    private Context open(String name) {
        return (device == null ? Verbs.device("ibverbs/" + name) : device).open();
    }

    /** Connects, plays {@code count} rounds, and disconnects. */
    void client(InetSocketAddress server) throws InterruptedException {
        try (RdmaRoute route = manager().resolve(server, RESOLVING);
                Context context = open(route.deviceName());
                RpingEnd end = new RpingEnd(context, size)) {
            route.init(end.queuePair(), Access.REMOTE_READ, Access.REMOTE_WRITE);
            end.postReceive();
            end.postReceive();
            try (RdmaConnection connection =
                    route.connect(end.queuePair(), RpingEnd.CONFIG, CONNECTING)) {
                for (int i = 0; count == 0 || i < count; i++) {
                    tell.accept("ping data: " + end.ping(i, size, validate));
                }
                connection.disconnect();
            }
        }
    }

    /** Serves the next client until it disconnects. */
    void serveOne(RdmaListener listener) throws InterruptedException {
        try (ConnectRequest request = listener.accept();
                Context context = open(request.deviceName());
                RpingEnd end = new RpingEnd(context, RpingEnd.MAX_SIZE)) {
            request.init(end.queuePair());
            end.postReceive();
            try (RdmaConnection connection =
                    request.accept(end.queuePair(), RpingEnd.CONFIG, CONNECTING)) {
                for (String text = end.pong(); text != null; text = end.pong()) {
                    tell.accept("server ping data: " + text);
                }
                connection.awaitDisconnect(CONNECTING);
            }
        }
    }
}
