package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;

/** The multicast groups of a fabric, and the queue pairs that are attached to each. */
final class MulticastGroups {
    private static final SoftQp[] NONE = {};

    /** What InfiniBand and Ethernet have in common: {@code ff00::/8}. */
    private static final long PREFIX = 0xffL;

    /** A group of IPv4, as RoCE has it: {@code ::ffff:224.0.0.0/100}. */
    private static final long IPV4_PREFIX = 0xffff_eL;

    private record Address(long high, long low) {}

    /** The arrays are never changed. */
    private final ConcurrentHashMap<Address, SoftQp[]> groups = new ConcurrentHashMap<>();

    static boolean isMulticast(long gidHigh, long gidLow) {
        return gidHigh >>> 56 == PREFIX || (gidHigh == 0 && gidLow >>> 28 == IPV4_PREFIX);
    }

    /** The queue pairs that get the messages for this address. */
    SoftQp[] attached(long gidHigh, long gidLow) {
        return groups.getOrDefault(new Address(gidHigh, gidLow), NONE);
    }

    /** Attaches a queue pair; false if it was attached before. */
    boolean attach(long gidHigh, long gidLow, SoftQp qp) {
        boolean[] added = {false};
        groups.compute(
                new Address(gidHigh, gidLow),
                (address, before) -> {
                    SoftQp[] is = before == null ? NONE : before;
                    if (indexOf(is, qp) >= 0) {
                        return is;
                    }
                    added[0] = true;
                    SoftQp[] more = Arrays.copyOf(is, is.length + 1);
                    more[is.length] = qp;
                    return more;
                });
        return added[0];
    }

    /** Detaches a queue pair; false if it was not attached. */
    boolean detach(long gidHigh, long gidLow, SoftQp qp) {
        boolean[] removed = {false};
        groups.computeIfPresent(
                new Address(gidHigh, gidLow),
                (address, is) -> {
                    int index = indexOf(is, qp);
                    if (index < 0) {
                        return is;
                    }
                    removed[0] = true;
                    return without(is, index);
                });
        return removed[0];
    }

    private static SoftQp @Nullable [] without(SoftQp[] is, int index) {
        if (is.length == 1) {
            return null;
        }
        SoftQp[] fewer = Arrays.copyOf(is, is.length - 1);
        System.arraycopy(is, index + 1, fewer, index, fewer.length - index);
        return fewer;
    }

    private static int indexOf(SoftQp[] qps, SoftQp qp) {
        return Arrays.asList(qps).indexOf(qp);
    }
}
