package io.loomverbs;

import io.loomverbs.internal.device.GidAttr;

import org.jspecify.annotations.Nullable;

import java.net.NetworkInterface;
import java.net.SocketException;

/**
 * A GID of a port, with its type and network interface ({@code struct ibv_gid_entry}).
 *
 * @param port the port, from 1 on
 * @param index its place in the port's table: what {@code sgidIndex} names
 * @param gid the GID
 * @param type the protocol that uses it
 * @param netdevIndex the number of the network interface whose address it is, as {@code ip link}
 *     prints it; 0 if there is none, as on InfiniBand
 * @since 0.1.0
 */
public record GidEntry(int port, int index, Gid gid, GidType type, int netdevIndex) {

    static GidEntry of(int port, GidAttr attr) {
        return new GidEntry(
                port,
                attr.index(),
                new Gid(attr.high(), attr.low()),
                GidType.of(attr.type()),
                attr.netdev());
    }

    /**
     * The name of the network interface whose address the GID is.
     *
     * @return such as {@code eth0}; null if there is none, or none in this network namespace
     */
    public @Nullable String netdev() {
        if (netdevIndex <= 0) {
            return null;
        }
        try {
            NetworkInterface found = NetworkInterface.getByIndex(netdevIndex);
            return found == null ? null : found.getName();
        } catch (SocketException e) {
            return null;
        }
    }
}
