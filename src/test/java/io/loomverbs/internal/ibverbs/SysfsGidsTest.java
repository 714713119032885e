package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.GidAttr;
import io.loomverbs.internal.device.Ibv;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;

/** What {@code /sys} says of GIDs, for a library that cannot be asked. */
class SysfsGidsTest {
    private static final GidAttr GID = new GidAttr(1, 2, 3, Ibv.GID_TYPE_IB, 0);

    @TempDir private Path device;

    private void write(String kind, String text) throws IOException {
        Path file = device.resolve("ports/1/gid_attrs/" + kind + "/3");
        Files.createDirectories(file.getParent());
        Files.writeString(file, text + "\n");
    }

    private GidAttr complete(boolean ethernet) {
        return SysfsGids.complete(GID, device, 1, ethernet);
    }

    @Test
    void theFilesAreRead() throws IOException {
        NetworkInterface lo = NetworkInterface.getByName("lo");
        write("types", "RoCE v2");
        write("ndevs", "lo");
        assertThat(complete(true))
                .isEqualTo(new GidAttr(1, 2, 3, Ibv.GID_TYPE_ROCE_V2, lo.getIndex()));
        write("types", "IB/RoCE v1");
        write("ndevs", "gone0");
        assertThat(complete(true)).isEqualTo(new GidAttr(1, 2, 3, Ibv.GID_TYPE_ROCE_V1, 0));
    }

    /** The kernel refuses to read them on InfiniBand, and old ones have none. */
    @Test
    void withoutThemTheLinkDecides() {
        assertThat(complete(false)).isEqualTo(GID);
        assertThat(complete(true).type()).isEqualTo(Ibv.GID_TYPE_ROCE_V1);
    }
}
