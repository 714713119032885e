package io.loomverbs.cm;

import io.loomverbs.Device;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmOps;
import io.loomverbs.internal.cm.CmProvider;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.LoadedClasses;
import io.loomverbs.internal.device.Providers;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * Makes connections by IP address and port, as rdma_cm does. All devices of libibverbs share one
 * manager, {@link #system()}, which finds the device by the address. Each embedded device has its
 * own, whose addresses exist within this JVM only.
 *
 * <p>Connections are of type RC ({@code RDMA_PS_TCP}). With queue pairs of type UD ({@code
 * RDMA_PS_UDP}), a client only asks where to send its datagrams, and a multicast group can be
 * joined. A manager need not be closed: it releases its resources with the last listener, route,
 * request, connection and group.
 *
 * @since 0.1.0
 */
public final class ConnectionManager {
    /** The name of the provider of librdmacm. */
    private static final String RDMACM = "rdmacm";

    private static final Providers<CmProvider> PROVIDERS = new Providers<>(CmProvider.class);

    private static final int DEFAULT_BACKLOG = 1024;
    private static final int MAX_BACKLOG = 1 << 20;
    private static final long NANOS_PER_MS = 1_000_000;

    static {
        LoadedClasses.besides(ConnectionManager.class, CmOps.class);
    }

    private final String name;
    private final CmOps ops;

    ConnectionManager(String name, CmOps ops) {
        this.name = name;
        this.ops = ops;
    }

    /**
     * The connection manager of a device's network: for {@code soft0} and {@code strict0} the
     * embedded one, for every other device {@link #system()}.
     *
     * @param device the device
     * @return its manager
     * @throws UnsupportedOperationException if librdmacm is needed and cannot be used; its cause
     *     says why
     */
    public static ConnectionManager of(Device device) {
        Checks.notNull(device, "device");
        for (CmProvider provider : PROVIDERS.get()) {
            CmOps ops = provider.managerOf(device.name(), device.guid());
            if (ops != null) {
                return new ConnectionManager("the connection manager of " + device.name(), ops);
            }
        }
        return system();
    }

    /**
     * The connection manager of this machine's RDMA devices: librdmacm.
     *
     * @return the manager
     * @throws UnsupportedOperationException if librdmacm cannot be used; its cause says why
     */
    public static ConnectionManager system() {
        Throwable cause = unavailabilityCause();
        if (cause != null) {
            throw new UnsupportedOperationException(
                    "librdmacm cannot be used: " + cause.getMessage(), cause);
        }
        for (CmProvider provider : PROVIDERS.get()) {
            CmOps ops = provider.managerOf(null, 0);
            if (ops != null) {
                return new ConnectionManager("librdmacm", ops);
            }
        }
        throw new AssertionError("a provider is there and offers nothing");
    }

    /**
     * Why the system's librdmacm cannot be used. Embedded devices do not need it.
     *
     * @return the cause, or null if it can be used
     */
    public static @Nullable Throwable unavailabilityCause() {
        for (CmProvider provider : PROVIDERS.get()) {
            if (provider.name().equals(RDMACM)) {
                return provider.unavailabilityCause();
            }
        }
        return new UnsupportedOperationException(
                "loomverbs has no provider for librdmacm: the jar lacks its file META-INF/services/"
                        + CmProvider.class.getName()
                        + ". When you repackage loomverbs, merge that file with those of other jars"
                        + " (maven-shade-plugin: ServicesResourceTransformer)");
    }

    /**
     * Listens at an address, for up to 1024 requests that wait to be accepted.
     *
     * @param local as in {@link #listen(InetSocketAddress, int)}
     * @return the listener
     */
    public RdmaListener listen(InetSocketAddress local) {
        return listen(local, DEFAULT_BACKLOG);
    }

    /**
     * Listens at an address ({@code rdma_bind_addr}, {@code rdma_listen}).
     *
     * @param local an address of one of this host's RDMA devices, or {@code 0.0.0.0} for all of
     *     IPv4, or {@code ::} for all; port 0 for one that is chosen
     * @param backlog how many requests may wait to be accepted, from 1 on; more are rejected. The
     *     kernel keeps at most {@code /proc/sys/net/rdma_ucm/max_backlog} for the moment until they
     *     are read, and drops more: their clients try again after some seconds
     * @return the listener
     * @throws IllegalArgumentException if the address is unresolved, or the backlog out of range
     * @throws ConnectionException {@code EADDRINUSE} if the port is taken, {@code EADDRNOTAVAIL} if
     *     the address is not this host's, or stands for all and the port is taken at one, {@code
     *     ENODEV} if there is no RDMA device, {@code EOPNOTSUPP} if it is an iWARP device
     */
    public RdmaListener listen(InetSocketAddress local, int backlog) {
        Checks.resolved("local", local);
        Checks.inRange("backlog", backlog, 1, MAX_BACKLOG, "requests that wait to be accepted");
        var requests = RequestQueue.ofConnections("listener at " + Checks.text(local), backlog);
        return new RdmaListener(listen(local, backlog, requests, Cm.PS_TCP), requests);
    }

    /**
     * Listens for clients that ask where to send datagrams ({@code rdma_bind_addr}, {@code
     * rdma_listen} in {@code RDMA_PS_UDP}), with up to 1024 requests that wait to be answered.
     * Datagrams and connections have separate port numbers.
     *
     * @param local as in {@link #listen(InetSocketAddress, int)}
     * @return the listener
     * @throws IllegalArgumentException if the address is unresolved
     * @throws ConnectionException as {@link #listen(InetSocketAddress, int)}
     */
    public UdListener listenUd(InetSocketAddress local) {
        Checks.resolved("local", local);
        var requests =
                RequestQueue.ofDatagrams(
                        "listener for datagrams at " + Checks.text(local), DEFAULT_BACKLOG);
        return new UdListener(listen(local, DEFAULT_BACKLOG, requests, Cm.PS_UDP), requests);
    }

    private CmIdOps listen(InetSocketAddress local, int backlog, RequestQueue<?> requests, int ps) {
        CmIdOps id = create(() -> ops.createId(requests, ps));
        boolean listens = false;
        try {
            int rc = id.bindAddr(local);
            if (rc != 0) {
                throw ConnectionException.refused("rdma_bind_addr", rc, Checks.text(local));
            }
            QpSteps.refuseIwarp(id, "rdma_bind_addr", requests.toString());
            rc = id.listen(backlog);
            if (rc != 0) {
                throw ConnectionException.refused("rdma_listen", rc, Checks.text(local));
            }
            listens = true;
            return id;
        } finally {
            if (!listens) {
                requests.close();
                id.destroy();
            }
        }
    }

    /**
     * Finds the way to a server ({@code rdma_resolve_addr}, {@code rdma_resolve_route}), from any
     * local address.
     *
     * @param remote the server's address and port
     * @param timeout how long this may take
     * @return the route
     * @throws InterruptedException if the thread was interrupted
     * @throws IllegalArgumentException if the address is unresolved, or the timeout is negative
     * @throws ConnectionTimeoutException if the host did not answer in time
     * @throws ConnectionException if there is no route, or no RDMA device that leads there; {@code
     *     EOPNOTSUPP} if it is an iWARP device
     */
    public RdmaRoute resolve(InetSocketAddress remote, Duration timeout)
            throws InterruptedException {
        return resolveFrom(null, remote, timeout);
    }

    /**
     * Finds the way to a server from a given local address.
     *
     * @param local the address, and thereby the device, to connect from; port 0 for one that is
     *     chosen
     * @param remote the server's address and port
     * @param timeout how long this may take
     * @return the route
     * @throws InterruptedException if the thread was interrupted
     * @throws IllegalArgumentException if an address is unresolved, or the timeout is negative
     * @throws ConnectionTimeoutException if the host did not answer in time
     * @throws ConnectionException {@code EADDRNOTAVAIL} if the local address is not this host's,
     *     {@code EADDRINUSE} if its port is taken, {@code EOPNOTSUPP} if the device is an iWARP
     *     device; if there is no route, or no RDMA device that leads there
     */
    public RdmaRoute resolve(InetSocketAddress local, InetSocketAddress remote, Duration timeout)
            throws InterruptedException {
        return resolveFrom(Checks.resolved("local", local), remote, timeout);
    }

    private RdmaRoute resolveFrom(
            @Nullable InetSocketAddress local, InetSocketAddress remote, Duration timeout)
            throws InterruptedException {
        return resolved(local, remote, timeout, Cm.PS_TCP, RdmaRoute::new);
    }

    /**
     * Finds the way to a server of datagrams ({@code rdma_resolve_addr}, {@code rdma_resolve_route}
     * in {@code RDMA_PS_UDP}).
     *
     * @param remote the address and port of the server's {@link #listenUd listener}
     * @param timeout how long this may take
     * @return the route
     * @throws InterruptedException if the thread was interrupted
     * @throws IllegalArgumentException if the address is unresolved, or the timeout is negative
     * @throws ConnectionTimeoutException if the host did not answer in time
     * @throws ConnectionException if there is no route, or no RDMA device that leads there
     */
    public UdRoute resolveUd(InetSocketAddress remote, Duration timeout)
            throws InterruptedException {
        return resolved(null, remote, timeout, Cm.PS_UDP, UdRoute::new);
    }

    private interface Resolved<R> {
        R of(Endpoint endpoint, String device);
    }

    private <R> R resolved(
            @Nullable InetSocketAddress local,
            InetSocketAddress remote,
            Duration timeout,
            int ps,
            Resolved<R> made)
            throws InterruptedException {
        Checks.resolved("remote", remote);
        long nanos = Checks.nanos("timeout", timeout);
        Endpoint endpoint = endpoint("connection to " + Checks.text(remote), ps);
        boolean resolved = false;
        try {
            boolean timed = nanos != Long.MAX_VALUE;
            long start = timed ? System.nanoTime() : 0;
            int rc = endpoint.ops().resolveAddr(local, remote, millis(nanos));
            expect(endpoint, "rdma_resolve_addr", rc, Cm.EVENT_ADDR_RESOLVED, nanos, timeout);
            String device = device(endpoint, "rdma_resolve_addr");
            long left = timed ? nanos - (System.nanoTime() - start) : nanos;
            rc = endpoint.ops().resolveRoute(millis(left));
            expect(endpoint, "rdma_resolve_route", rc, Cm.EVENT_ROUTE_RESOLVED, left, timeout);
            R route = made.of(endpoint, device);
            resolved = true;
            return route;
        } finally {
            if (!resolved) {
                endpoint.close();
            }
        }
    }

    /**
     * Joins a multicast group ({@code rdma_join_multicast}): the network then forwards the group's
     * messages. A queue pair receives it once it is {@linkplain MulticastGroup#attach attached}.
     *
     * @param local the address of this host, and thereby the device, to join with
     * @param group the group's address; the port does not matter. Devices differ: soft-RoCE with
     *     GIDs of IPv4 refuses groups of IPv6 with {@code ENOTSUPP}
     * @param timeout how long this may take
     * @return the group
     * @throws InterruptedException if the thread was interrupted
     * @throws IllegalArgumentException if an address is unresolved, {@code group} is not a
     *     multicast address, or the timeout is negative
     * @throws ConnectionTimeoutException if the network did not answer in time
     * @throws ConnectionException {@code EADDRNOTAVAIL} if the local address is not this host's,
     *     {@code ENODEV} if it is no RDMA device's; if the device has no multicast
     */
    public MulticastGroup joinMulticast(
            InetSocketAddress local, InetSocketAddress group, Duration timeout)
            throws InterruptedException {
        Checks.notNull(timeout, "timeout");
        Checks.resolved("local", local);
        Checks.group("group", group);
        long nanos = Checks.nanos("timeout", timeout);
        String name = "group " + Checks.text(group) + " from " + Checks.text(local);
        Endpoint endpoint = endpoint(name, Cm.PS_UDP);
        boolean joined = false;
        try {
            int rc = endpoint.ops().bindAddr(local);
            if (rc != 0) {
                throw ConnectionException.refused("rdma_bind_addr", rc, name);
            }
            String device = device(endpoint, "rdma_bind_addr");
            rc = endpoint.ops().joinMulticast(group);
            CmEvent event =
                    expect(
                            endpoint,
                            "rdma_join_multicast",
                            rc,
                            Cm.EVENT_MULTICAST_JOIN,
                            nanos,
                            timeout);
            MulticastGroup made = new MulticastGroup(endpoint, device, group, UdPeer.of(event));
            joined = true;
            return made;
        } finally {
            if (!joined) {
                endpoint.close();
            }
        }
    }

    private Endpoint endpoint(String name, int ps) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        return create(() -> Endpoint.create(name, ops, ps));
    }

    private static String device(Endpoint endpoint, String call) {
        String device = endpoint.ops().deviceName();
        if (device == null) {
            throw ConnectionException.refused(call, -Errno.ENODEV, endpoint.toString());
        }
        QpSteps.refuseIwarp(endpoint.ops(), call, endpoint.toString());
        return device;
    }

    private static CmEvent expect(
            Endpoint endpoint, String call, int rc, int type, long nanos, Duration timeout)
            throws InterruptedException {
        if (rc != 0) {
            throw endpoint.failure(call, rc, endpoint.toString());
        }
        CmEvent event = endpoint.take(nanos);
        if (event == null || event.status() == -Errno.ETIMEDOUT) {
            throw new ConnectionTimeoutException(
                    call,
                    "no answer within "
                            + timeout
                            + ": "
                            + endpoint
                            + CmCauses.of(call, Errno.ETIMEDOUT));
        }
        if (event.type() != type) {
            throw endpoint.failure(call, event);
        }
        return event;
    }

    /** At least one, as 0 has no meaning. */
    private static int millis(long nanos) {
        return Math.clamp(nanos / NANOS_PER_MS, 1, Integer.MAX_VALUE);
    }

    private interface Creation<T> {
        T create();
    }

    private static <T> T create(Creation<T> creation) {
        try {
            return creation.create();
        } catch (DeviceException e) {
            throw ConnectionException.refused(
                    "rdma_create_id", -e.errno(), String.valueOf(e.getMessage()));
        }
    }

    /** The manager's name. */
    @Override
    public String toString() {
        return name;
    }
}
