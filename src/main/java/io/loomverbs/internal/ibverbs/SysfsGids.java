package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.GidAttr;
import io.loomverbs.internal.device.Ibv;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The GIDs that the kernel lists in {@code /sys}, for libraries without {@code ibv_query_gid_ex}.
 */
final class SysfsGids {
    private static final Path DEVICES = Path.of("/sys/class/infiniband");
    private static final String ROCE_V2 = "RoCE v2";

    private SysfsGids() {}

    static GidAttr complete(GidAttr gid, String device, int port, boolean ethernet) {
        return complete(gid, DEVICES.resolve(device), port, ethernet);
    }

    /** Files that are missing, as they are on InfiniBand and with old kernels, say version 1. */
    static GidAttr complete(GidAttr gid, Path device, int port, boolean ethernet) {
        Path attrs = device.resolve("ports/" + port + "/gid_attrs");
        int type = ethernet ? Ibv.GID_TYPE_ROCE_V1 : Ibv.GID_TYPE_IB;
        if (ROCE_V2.equals(read(attrs.resolve("types/" + gid.index())))) {
            type = Ibv.GID_TYPE_ROCE_V2;
        }
        return new GidAttr(
                gid.high(),
                gid.low(),
                gid.index(),
                type,
                number(read(attrs.resolve("ndevs/" + gid.index()))));
    }

    private static int number(@Nullable String netdev) {
        try {
            NetworkInterface found = netdev == null ? null : NetworkInterface.getByName(netdev);
            return found == null ? 0 : Math.max(0, found.getIndex());
        } catch (IOException e) {
            return 0;
        }
    }

    private static @Nullable String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return null; // the kernel returns EINVAL for a missing attribute
        }
    }
}
