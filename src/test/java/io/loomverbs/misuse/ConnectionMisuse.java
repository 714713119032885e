package io.loomverbs.misuse;

import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.ConnectionConfig;
import io.loomverbs.cm.ConnectionException;
import io.loomverbs.cm.RdmaRoute;
import io.loomverbs.support.Fixture;

import java.net.InetSocketAddress;
import java.time.Duration;

/** Bad input to the connection manager and what it makes. */
final class ConnectionMisuse extends MisuseTable {
    private static final String LISTEN = "cm.ConnectionManager.listen(InetSocketAddress)";
    private static final String LISTEN_BACKLOG =
            "cm.ConnectionManager.listen(InetSocketAddress, int)";
    private static final String RESOLVE =
            "cm.ConnectionManager.resolve(InetSocketAddress, Duration)";
    private static final String RESOLVE_FROM =
            "cm.ConnectionManager.resolve(InetSocketAddress, InetSocketAddress, Duration)";
    private static final byte[] NONE = {};
    private static final Duration NEGATIVE = Duration.ofSeconds(-1);
    private static final InetSocketAddress NOWHERE =
            InetSocketAddress.createUnresolved("nowhere.invalid", 1);

    ConnectionMisuse() {
        listening();
        resolving();
        queuePairs();
        configs();
        datagrams();
        groups();
        iae(
                "cm.RdmaListener.accept(Duration)",
                s -> s.connections.listener().accept(NEGATIVE),
                "timeout is PT-1S",
                "must not be negative");
        iae(
                "cm.RdmaConnection.awaitDisconnect(Duration)",
                s -> s.connections.connection().awaitDisconnect(NEGATIVE),
                "timeout is PT-1S");
        iae(
                "cm.ConnectRequest.reject(byte[])",
                s -> s.connections.request().reject(new byte[149]),
                "privateData has 149 bytes",
                "at most 148",
                "a rejection");
    }

    private void listening() {
        iae(LISTEN, s -> s.connections.cm.listen(NOWHERE), "local is nowhere.invalid", "IP");
        fails(
                ConnectionException.class,
                LISTEN,
                s -> s.connections.cm.listen(s.connections.listener().localAddress()),
                "rdma_bind_addr: EADDRINUSE",
                "another program listens");
        if (REAL) {
            fails(
                    ConnectionException.class,
                    LISTEN,
                    s -> s.connections.cm.listen(new InetSocketAddress("192.0.2.1", 0)),
                    "rdma_bind_addr: EADDRNOTAVAIL: 192.0.2.1:0",
                    "not one of this host's");
        }
        for (int backlog : new int[] {0, -1, MAX, Integer.MIN_VALUE}) {
            iae(
                    LISTEN_BACKLOG,
                    s -> s.connections.cm.listen(Connections.anyPort(), backlog),
                    "backlog is " + backlog,
                    "1 to ");
        }
    }

    private void resolving() {
        Duration patience = Fixture.PATIENCE;
        iae(RESOLVE, s -> s.connections.cm.resolve(NOWHERE, patience), "remote is nowhere");
        iae(
                RESOLVE,
                s -> s.connections.cm.resolve(Connections.anyPort(), NEGATIVE),
                "timeout is PT-1S");
        fails(
                ConnectionException.class,
                RESOLVE,
                s -> s.connections.cm.resolve(new InetSocketAddress("192.0.2.1", 1), patience),
                "rdma_resolve_addr",
                "192.0.2.1:1",
                "there is no route");
        InetSocketAddress any = Connections.anyPort();
        iae(
                RESOLVE_FROM,
                s -> s.connections.cm.resolve(NOWHERE, any, patience),
                "local is nowhere");
        iae(
                RESOLVE_FROM,
                s -> s.connections.cm.resolve(any, NOWHERE, patience),
                "remote is nowhere");
        iae(RESOLVE_FROM, s -> s.connections.cm.resolve(any, any, NEGATIVE), "timeout is PT-1S");
        fails(
                ConnectionException.class,
                RESOLVE_FROM,
                s -> {
                    InetSocketAddress taken = s.connections.listener().localAddress();
                    s.connections.cm.resolve(taken, taken, patience);
                },
                "rdma_resolve_addr",
                "EADDRINUSE");
    }

    private interface OnRoute {
        void use(RdmaRoute route, QueuePair qp) throws Exception;
    }

    private interface OnRequest {
        void use(ConnectRequest request, QueuePair qp) throws Exception;
    }

    private void queuePairs() {
        ConnectionConfig plain = ConnectionConfig.defaults();
        Duration patience = Fixture.PATIENCE;
        byRoute("init(QueuePair, Access[])", RdmaRoute::init);
        byRoute("connect(QueuePair)", RdmaRoute::connect);
        byRoute("connect(QueuePair, Duration)", (r, qp) -> r.connect(qp, patience));
        String connect = "connect(QueuePair, ConnectionConfig, Duration)";
        byRoute(connect, (r, qp) -> r.connect(qp, plain, patience));
        byRequest("init(QueuePair, Access[])", ConnectRequest::init);
        byRequest("accept(QueuePair)", ConnectRequest::accept);
        String accept = "accept(QueuePair, ConnectionConfig, Duration)";
        byRequest(accept, (r, qp) -> r.accept(qp, plain, patience));
        iae(
                "cm.RdmaRoute." + connect,
                s ->
                        s.connections
                                .route()
                                .connect(s.reset, plain.withPrivateData(new byte[57]), patience),
                "private data has 57 bytes",
                "at most 56",
                "a request");
        iae(
                "cm.RdmaRoute." + connect,
                s -> s.connections.route().connect(s.reset, plain, NEGATIVE),
                "timeout is");
        iae(
                "cm.ConnectRequest." + accept,
                s -> s.connections.request().accept(s.reset, plain, NEGATIVE),
                "timeout is");
    }

    private void byRoute(String method, OnRoute use) {
        String name = "cm.RdmaRoute." + method;
        wrong(name, (s, qp) -> use.use(s.connections.route(), qp));
    }

    private void byRequest(String method, OnRequest use) {
        String name = "cm.ConnectRequest." + method;
        wrong(name, (s, qp) -> use.use(s.connections.request(), qp));
    }

    private interface WithQp {
        void use(Scene s, QueuePair qp) throws Exception;
    }

    private void wrong(String name, WithQp use) {
        iae(name, s -> use.use(s, s.ud.a), "of type UD", "must be of type RC");
        ise(name, s -> use.use(s, s.rc.a), "is in state RTS", "RESET or INIT");
        if (!REAL) {
            iae(name, s -> withOther(s, use), ", but must be of " + Fixture.DEVICE);
        }
    }

    /** With a queue pair of the other embedded device. */
    private static void withOther(Scene s, WithQp use) throws Exception {
        String other = Fixture.DEVICE.equals("soft0") ? "strict0" : "soft0";
        try (var context = io.loomverbs.Verbs.device(other).open();
                var pd = context.allocPd();
                var cq = context.createDirectCq(4);
                var qp = pd.createQp(io.loomverbs.QpConfig.of(QpType.RC, cq))) {
            use.use(s, qp);
        }
    }

    private void configs() {
        iae(
                "cm.ConnectionConfig.withPrivateData(byte[])",
                s -> ConnectionConfig.defaults().withPrivateData(new byte[197]),
                "data has 197 bytes",
                "at most 196");
        for (int bad : new int[] {-1, 256, MAX, Integer.MIN_VALUE}) {
            config("withResponderResources", "most", bad, c -> c.withResponderResources(bad));
            config("withInitiatorDepth", "most", bad, c -> c.withInitiatorDepth(bad));
            config("withRetryCount", "retries", bad, c -> c.withRetryCount(bad));
            config("withRnrRetryCount", "retries", bad, c -> c.withRnrRetryCount(bad));
            config("withAckTimeout", "exponent", bad, c -> c.withAckTimeout(bad));
            config("withMinRnrTimer", "code", bad, c -> c.withMinRnrTimer(bad));
        }
    }

    private void datagrams() {
        Duration patience = Fixture.PATIENCE;
        String listen = "cm.ConnectionManager.listenUd(InetSocketAddress)";
        iae(listen, s -> s.connections.cm.listenUd(NOWHERE), "local is nowhere.invalid", "IP");
        fails(
                ConnectionException.class,
                listen,
                s -> s.connections.cm.listenUd(s.connections.udListener().localAddress()),
                "rdma_bind_addr: EADDRINUSE");
        String resolve = "cm.ConnectionManager.resolveUd(InetSocketAddress, Duration)";
        iae(resolve, s -> s.connections.cm.resolveUd(NOWHERE, patience), "remote is nowhere");
        iae(
                resolve,
                s -> s.connections.cm.resolveUd(Connections.anyPort(), NEGATIVE),
                "timeout is PT-1S");
        iae(
                "cm.UdListener.accept(Duration)",
                s -> s.connections.udListener().accept(NEGATIVE),
                "timeout is PT-1S");
        String connect = "cm.UdRoute.connect(byte[], Duration)";
        iae(
                connect,
                s -> s.connections.udRoute().connect(new byte[181], patience),
                "privateData has 181 bytes",
                "at most 180",
                "a request");
        iae(connect, s -> s.connections.udRoute().connect(NONE, NEGATIVE), "timeout is PT-1S");
        String accept = "cm.UdRequest.accept(QueuePair, byte[])";
        iae(
                accept,
                s -> s.connections.udRequest().accept(s.ud.a, new byte[137]),
                "privateData has 137 bytes",
                "at most 136",
                "an answer");
        iae(
                accept,
                s -> s.connections.udRequest().accept(s.rc.a, NONE),
                "of type RC",
                "must be of type UD");
        iae(
                "cm.UdRequest.reject(byte[])",
                s -> s.connections.udRequest().reject(new byte[137]),
                "privateData has 137 bytes",
                "a rejection");
        wrongUd("cm.UdRoute.init(QueuePair)", (s, qp) -> s.connections.udRoute().init(qp));
        wrongUd("cm.UdRequest.init(QueuePair)", (s, qp) -> s.connections.udRequest().init(qp));
        wrongUd("cm.MulticastGroup.init(QueuePair)", (s, qp) -> s.connections.group().init(qp));
    }

    private void wrongUd(String name, WithQp use) {
        iae(name, s -> use.use(s, s.reset), "of type RC", "must be of type UD");
        ise(name, s -> use.use(s, s.ud.a), "is in state RTS", "RESET or INIT");
    }

    private void groups() {
        Duration patience = Fixture.PATIENCE;
        InetSocketAddress any = Connections.anyPort();
        InetSocketAddress group = Connections.GROUP;
        String join =
                "cm.ConnectionManager.joinMulticast(InetSocketAddress, InetSocketAddress,"
                        + " Duration)";
        iae(
                join,
                s -> s.connections.cm.joinMulticast(NOWHERE, group, patience),
                "local is nowhere");
        iae(
                join,
                s -> s.connections.cm.joinMulticast(any, any, patience),
                "group is ",
                "must be a multicast address");
        iae(join, s -> s.connections.cm.joinMulticast(any, group, NEGATIVE), "timeout is PT-1S");
        fails(
                ConnectionException.class,
                join,
                s ->
                        s.connections.cm.joinMulticast(
                                new InetSocketAddress("0.0.0.0", 0), group, patience),
                "rdma_bind_addr: ENODEV",
                "no RDMA device has that address");
        iae(
                "cm.MulticastGroup.awaitLoss(Duration)",
                s -> s.connections.group().awaitLoss(NEGATIVE),
                "timeout is PT-1S");
        String attach = "cm.MulticastGroup.attach(QueuePair)";
        iae(attach, s -> s.connections.group().attach(s.rc.a), "must be of type UD");
        String detach = "cm.MulticastGroup.detach(QueuePair)";
        iae(detach, s -> s.connections.group().detach(s.rc.a), "must be of type UD");
        fails(
                VerbsException.class,
                detach,
                s -> s.connections.group().detach(s.ud.a),
                "ibv_detach_mcast",
                "EINVAL");
    }

    private interface OnConfig {
        ConnectionConfig with(ConnectionConfig config);
    }

    private void config(String method, String argument, int bad, OnConfig use) {
        iae(
                "cm.ConnectionConfig." + method + "(int)",
                s -> use.with(ConnectionConfig.defaults()),
                argument + " is " + bad,
                "0 to ");
    }
}
