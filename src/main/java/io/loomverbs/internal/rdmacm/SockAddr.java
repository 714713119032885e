package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.ffi.RdmacmLayouts.SockaddrIn;
import io.loomverbs.internal.ffi.RdmacmLayouts.SockaddrIn6;
import io.loomverbs.internal.ffi.Struct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** Socket addresses, between Java and C. */
final class SockAddr {
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;

    private SockAddr() {}

    static Struct of(InetSocketAddress address, Arena arena) {
        Struct to = Struct.allocate(arena, SockaddrIn6.BYTES);
        InetAddress host = address.getAddress();
        if (host instanceof Inet4Address) {
            to.u16(SockaddrIn.SIN_FAMILY, AF_INET);
            put(to, SockaddrIn.SIN_ADDR, host.getAddress());
        } else {
            to.u16(SockaddrIn6.SIN6_FAMILY, AF_INET6);
            put(to, SockaddrIn6.SIN6_ADDR, host.getAddress());
            if (host instanceof Inet6Address v6) {
                to.i32(SockaddrIn6.SIN6_SCOPE_ID, v6.getScopeId());
            }
        }
        // In network order, at the same place in both.
        to.u8(SockaddrIn.SIN_PORT, address.getPort() >> 8);
        to.u8(SockaddrIn.SIN_PORT + 1, address.getPort());
        return to;
    }

    private static void put(Struct to, int offset, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            to.u8(offset + i, bytes[i]);
        }
    }

    /** The address in {@code from}, or null if it is of no known family. */
    static @Nullable InetSocketAddress read(Struct from) {
        int port = from.u8(SockaddrIn.SIN_PORT) << 8 | from.u8(SockaddrIn.SIN_PORT + 1);
        try {
            return switch (from.u16(SockaddrIn.SIN_FAMILY)) {
                case AF_INET ->
                        new InetSocketAddress(
                                InetAddress.getByAddress(
                                        from.bytes(SockaddrIn.SIN_ADDR, SockaddrIn.SIN_ADDR_BYTES)),
                                port);
                case AF_INET6 ->
                        new InetSocketAddress(
                                v6(
                                        from.bytes(
                                                SockaddrIn6.SIN6_ADDR, SockaddrIn6.SIN6_ADDR_BYTES),
                                        from.i32(SockaddrIn6.SIN6_SCOPE_ID)),
                                port);
                default -> null;
            };
        } catch (UnknownHostException e) {
            throw new AssertionError(e); // only for bytes of another length
        }
    }

    private static InetAddress v6(byte[] bytes, int scope) throws UnknownHostException {
        return scope == 0
                ? InetAddress.getByAddress(bytes)
                : Inet6Address.getByAddress(null, bytes, scope);
    }
}
