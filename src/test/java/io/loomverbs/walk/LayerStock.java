package io.loomverbs.walk;

import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;
import io.loomverbs.cm.UdListener;
import io.loomverbs.cm.UdRequest;
import io.loomverbs.cm.UdRoute;
import io.loomverbs.support.Fixture;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Queue;

/**
 * Makes objects of the layers above the verbs. What these are made of, such as queue pairs, is only
 * passed to them: the layers ask for that.
 */
final class LayerStock {
    private static final int DEPTH = 8;
    private static final int RECEIVES = 4;

    private final World world;
    private final ProtectionDomain pd;
    private final ConnectionManager cm;
    private final Queue<String> problems;

    LayerStock(World world, Queue<String> problems) {
        this.world = world;
        this.problems = problems;
        pd = lower(world.first.allocPd());
        cm = world.add(ConnectionManager.of(world.first.device()), false);
        world.offer(world.first);
    }

    /** An object of the verbs, which no call changes by itself. */
    private <T> T lower(T object) {
        world.add(object, true);
        world.offer(object);
        return object;
    }

    String make(Dice dice) throws InterruptedException {
        return switch (dice.below(5)) {
            case 0, 1 -> requests(dice);
            case 2 -> connection();
            case 3 -> datagrams();
            default -> "a queue pair " + newQp(dice.of(QpType.RC, QpType.RC, QpType.UD));
        };
    }

    /** Two ends with requests over each. */
    private String requests(Dice dice) {
        MemoryRegion mr = lower(pd.allocateMr(4096, Fixture.anything()));
        BufferPool pool = world.add(BufferPool.traced(pd, 256, 16), false);
        RequestsConfig config =
                RequestsConfig.of()
                        .withReceives(RECEIVES, pool)
                        .withTimeout(Duration.ofNanos(dice.of(1, 1, 100_000_000)));
        QpType type = dice.of(QpType.RC, QpType.RC, QpType.UC);
        QueuePair a = newQp(type);
        QueuePair b = newQp(type);
        a.init(Fixture.anything());
        b.init(Fixture.anything());
        Requests one = world.add(Requests.over(a, config), false);
        world.add(Requests.over(b, dice.oneIn(2) ? config : RequestsConfig.of()), false);
        a.connect(b.endpoint());
        b.connect(a.endpoint());
        world.add(Buffer.of(mr), false);
        world.add(RemoteRegion.of(mr), false);
        return one + " and its peer";
    }

    private QueuePair newQp(QpType type) {
        CompletionQueue cq = lower(world.first.createDirectCq(64));
        return lower(
                pd.createQp(
                        QpConfig.of(type, cq)
                                .withWr(DEPTH, RECEIVES)
                                .withSge(2, 2)
                                .withInlineData(64)));
    }

    /** Two connections, with the listener, route and request that they came from. */
    private String connection() throws InterruptedException {
        RdmaListener listener =
                world.add(cm.listen(new InetSocketAddress(Fixture.host(), 0)), false);
        RdmaRoute route = world.add(cm.resolve(listener.localAddress(), World.PATIENCE), false);
        QueuePair qp = newQp(QpType.RC);
        Thread client =
                Thread.ofVirtual()
                        .name("client")
                        .start(
                                () -> {
                                    try {
                                        world.add(route.connect(qp, World.PATIENCE), false);
                                    } catch (InterruptedException e) {
                                        // The walk has interrupted it, as it may all others.
                                    } catch (Throwable t) {
                                        check(t);
                                    }
                                });
        world.add(client, false);
        ConnectRequest request = listener.accept(World.PATIENCE);
        if (request == null) {
            return "no request has come: " + listener;
        }
        world.add(request, false);
        if (!client.isAlive()) {
            return "a request whose client has gone: " + request;
        }
        return "a connection " + world.add(request.accept(newQp(QpType.RC)), false);
    }

    /** A question where to send, with what it came from, and a group. */
    private String datagrams() throws InterruptedException {
        UdListener listener =
                world.add(cm.listenUd(new InetSocketAddress(Fixture.host(), 0)), false);
        UdRoute route = world.add(cm.resolveUd(listener.localAddress(), World.PATIENCE), false);
        world.add(
                cm.joinMulticast(
                        new InetSocketAddress(Fixture.host(), 0),
                        new InetSocketAddress("239.1.2.3", 0),
                        World.PATIENCE),
                false);
        newQp(QpType.UD);
        Thread client =
                Thread.ofVirtual()
                        .name("asks")
                        .start(
                                () -> {
                                    try {
                                        world.add(
                                                route.connect(new byte[8], World.PATIENCE), false);
                                    } catch (InterruptedException e) {
                                        // The walk has interrupted it, as it may all others.
                                    } catch (Throwable t) {
                                        check(t);
                                    }
                                });
        world.add(client, false);
        UdRequest request = listener.accept(World.PATIENCE);
        if (request == null) {
            return "no request has come: " + listener;
        }
        return "a request " + world.add(request, false);
    }

    /** Others may close or change the route, the queue pair or the peer at any time. */
    private void check(Throwable t) {
        if (!Outcome.isDocumented(t)) {
            problems.add("a client fails: " + Failures.text(t));
        }
    }
}
