package io.loomverbs;

import org.jspecify.annotations.Nullable;

import java.util.Comparator;
import java.util.List;

/** Chooses the GID of a port to send from, if the caller has not. */
final class GidChoice {
    private static final int FIRST = 0;

    private GidChoice() {}

    /**
     * The index of the GID that reaches farthest: on Ethernet one of RoCE version 2 rather than
     * version 1, of IPv4, then of routed IPv6, then a link-local one; else the first.
     */
    static int farthest(Context context, int port) {
        return best(context, port, null);
    }

    /** The same, among those that can reach {@code dgid}, if there are any. */
    static int reaching(Context context, int port, Gid dgid) {
        return best(context, port, dgid);
    }

    private static int best(Context context, int port, @Nullable Gid dgid) {
        if (context.port(port).linkLayer() != LinkLayer.ETHERNET) {
            return FIRST;
        }
        return best(context.gids(port), dgid);
    }

    static int best(List<GidEntry> table, @Nullable Gid dgid) {
        return table.stream()
                .filter(entry -> dgid == null || entry.gid().reaches(dgid))
                .min(
                        Comparator.comparingInt((GidEntry e) -> misfit(e, dgid))
                                .thenComparingInt(GidEntry::index))
                .map(GidEntry::index)
                .orElse(FIRST);
    }

    private static int misfit(GidEntry entry, @Nullable Gid dgid) {
        Gid gid = entry.gid();
        int scope = gid.isLinkLocal() ? 2 : gid.isIpv4() ? 0 : 1;
        if (dgid != null) {
            scope = gid.isLinkLocal() == dgid.isLinkLocal() ? 0 : 1;
        }
        return entry.type() == GidType.ROCE_V2 ? scope : scope + 3;
    }
}
