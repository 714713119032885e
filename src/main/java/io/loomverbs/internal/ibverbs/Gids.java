package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.GidAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvGidEntry;
import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Struct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** The GIDs of a context's ports, with their types and network interfaces. */
final class Gids {
    private Gids() {}

    /** {@code ibv_query_gid_ex}, where {@link Libibverbs#hasQueryGidEx}. */
    static @Nullable GidAttr query(long context, int port, int index) {
        try (Arena arena = Arena.ofConfined()) {
            Struct entry = Struct.allocate(arena, IbvGidEntry.BYTES);
            int rc =
                    Libibverbs.queryGidEx(
                            Libibverbs.callState(arena), context, port, index, entry.address());
            if (rc == -Errno.ENODATA) {
                return null;
            }
            if (rc != 0) {
                throw Refusals.of("ibv_query_gid_ex", rc, "port " + port + ", index " + index);
            }
            return attr(entry, 0);
        }
    }

    /**
     * {@code ibv_query_gid_table}, where {@link Libibverbs#hasQueryGidEx}: one call for all ports.
     *
     * @param max how many GIDs all ports have room for
     */
    static List<GidAttr> table(long context, int port, int max) {
        try (Arena arena = Arena.ofConfined()) {
            Struct entries = Struct.allocate(arena, Math.max(1, max) * IbvGidEntry.BYTES);
            long n =
                    Libibverbs.queryGidTable(
                            Libibverbs.callState(arena), context, entries.address(), max);
            if (n < 0) {
                throw Refusals.of("ibv_query_gid_table", n, "port " + port);
            }
            List<GidAttr> table = new ArrayList<>();
            for (int i = 0; i < n; i++) {
                int at = i * IbvGidEntry.BYTES;
                if (entries.i32(at + IbvGidEntry.PORT_NUM) == port) {
                    table.add(attr(entries, at));
                }
            }
            return table;
        }
    }

    private static GidAttr attr(Struct entry, int at) {
        return new GidAttr(
                entry.be64(at + IbvGidEntry.GID),
                entry.be64(at + IbvGidEntry.GID + Long.BYTES),
                entry.i32(at + IbvGidEntry.GID_INDEX),
                entry.i32(at + IbvGidEntry.GID_TYPE),
                entry.i32(at + IbvGidEntry.NDEV_IFINDEX));
    }
}
