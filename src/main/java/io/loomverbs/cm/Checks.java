package io.loomverbs.cm;

import java.net.InetSocketAddress;
import java.time.Duration;

/** Checks of arguments, worded in one way: the argument, its value, the limit. */
final class Checks {
    private static final Duration FOREVER = Duration.ofNanos(Long.MAX_VALUE);

    private Checks() {}

    static <T> T notNull(T value, String name) {
        if (value == null) {
            throw new NullPointerException(name + " is null");
        }
        return value;
    }

    /** A copy, with each of its elements checked. */
    static <T> T[] all(T[] values, String name) {
        T[] copy = notNull(values, name).clone();
        for (T value : copy) {
            notNull(value, name);
        }
        return copy;
    }

    static int inRange(String name, int value, int min, int max, String limit) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    name + " is " + value + ", but must be " + min + " to " + max + ": " + limit);
        }
        return value;
    }

    /** The nanoseconds of a timeout; {@link Long#MAX_VALUE}, unlimited, if there are too many. */
    static long nanos(String name, Duration timeout) {
        notNull(timeout, name);
        if (timeout.isNegative()) {
            throw new IllegalArgumentException(
                    name + " is " + timeout + ", but must not be negative: use 0 not to wait");
        }
        return timeout.compareTo(FOREVER) >= 0 ? Long.MAX_VALUE : timeout.toNanos();
    }

    static InetSocketAddress resolved(String name, InetSocketAddress address) {
        notNull(address, name);
        if (address.isUnresolved()) {
            throw new IllegalArgumentException(
                    name
                            + " is "
                            + address
                            + ", but must have an IP address: no name server knows the host");
        }
        return address;
    }

    static InetSocketAddress group(String name, InetSocketAddress address) {
        if (!resolved(name, address).getAddress().isMulticastAddress()) {
            throw new IllegalArgumentException(
                    name
                            + " is "
                            + address
                            + ", but must be a multicast address: in 224.0.0.0/4 or ff00::/8");
        }
        return address;
    }

    static byte[] privateData(String name, byte[] data, int most, String where) {
        notNull(data, name);
        if (data.length > most) {
            throw new IllegalArgumentException(
                    name
                            + " has "
                            + data.length
                            + " bytes, but must have at most "
                            + most
                            + ": what "
                            + where
                            + " carries");
        }
        return data;
    }

    /** Such as {@code 10.0.0.1:7471}. */
    static String text(InetSocketAddress address) {
        String host = address.getAddress().getHostAddress();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }
}
