package io.loomverbs.internal.softcm;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/** The ports of one embedded device, and which ids are bound to them. */
final class SoftPorts {
    private static final int FIRST_EPHEMERAL = 49_152;
    private static final int LAST_PORT = 65_535;
    private static final int EADDRINUSE = 98;
    private static final int EADDRNOTAVAIL = 99;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<Integer, Map<InetAddress, SoftCmId>> bound = new HashMap<>();

    @GuardedBy("lock")
    private int nextPort = FIRST_EPHEMERAL;

    /** The address with a port if it has none; null if the address or each port is taken. */
    @Nullable InetSocketAddress bind(InetSocketAddress wanted, SoftCmId id) {
        lock.lock();
        try {
            return wanted.getPort() != 0
                    ? tryBind(wanted.getAddress(), wanted.getPort(), id)
                    : bindAnywhere(wanted.getAddress(), id);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private @Nullable InetSocketAddress bindAnywhere(InetAddress host, SoftCmId id) {
        for (int i = FIRST_EPHEMERAL; i <= LAST_PORT; i++) {
            InetSocketAddress address = tryBind(host, advance(), id);
            if (address != null) {
                return address;
            }
        }
        return null;
    }

    /** Why an address could not be bound: in the kernel, only equal addresses are in use. */
    int problem(InetSocketAddress wanted) {
        lock.lock();
        try {
            InetAddress host = wanted.getAddress();
            return !host.isAnyLocalAddress()
                            && bound.getOrDefault(wanted.getPort(), Map.of()).containsKey(host)
                    ? EADDRINUSE
                    : EADDRNOTAVAIL;
        } finally {
            lock.unlock();
        }
    }

    /** A port for a client; several may have the same. */
    int ephemeral() {
        lock.lock();
        try {
            return advance();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private int advance() {
        int port = nextPort;
        nextPort = port == LAST_PORT ? FIRST_EPHEMERAL : port + 1;
        return port;
    }

    @GuardedBy("lock")
    private @Nullable InetSocketAddress tryBind(InetAddress address, int port, SoftCmId id) {
        Map<InetAddress, SoftCmId> there = bound.computeIfAbsent(port, p -> new HashMap<>());
        for (InetAddress taken : there.keySet()) {
            if (taken.equals(address) || taken.isAnyLocalAddress() || address.isAnyLocalAddress()) {
                return null;
            }
        }
        there.put(address, id);
        return new InetSocketAddress(address, port);
    }

    void unbind(InetSocketAddress address) {
        lock.lock();
        try {
            Map<InetAddress, SoftCmId> there = bound.get(address.getPort());
            if (there != null) {
                there.remove(address.getAddress());
                if (there.isEmpty()) {
                    bound.remove(address.getPort());
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** The id that is bound to an address, or to its port at every address. */
    @Nullable SoftCmId boundTo(InetSocketAddress address) {
        lock.lock();
        try {
            Map<InetAddress, SoftCmId> there = bound.getOrDefault(address.getPort(), Map.of());
            SoftCmId exactly = there.get(address.getAddress());
            return exactly != null ? exactly : boundEverywhere(there, address.getAddress());
        } finally {
            lock.unlock();
        }
    }

    /** The address of all of IPv6 is that of IPv4, too. */
    private static @Nullable SoftCmId boundEverywhere(
            Map<InetAddress, SoftCmId> there, InetAddress at) {
        for (Map.Entry<InetAddress, SoftCmId> entry : there.entrySet()) {
            InetAddress all = entry.getKey();
            if (all.isAnyLocalAddress()
                    && (all instanceof Inet6Address || at instanceof Inet4Address)) {
                return entry.getValue();
            }
        }
        return null;
    }
}
