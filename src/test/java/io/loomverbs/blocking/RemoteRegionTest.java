package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The value that names memory of a peer, and its two forms. */
@Timeout(20)
class RemoteRegionTest {
    private static final RemoteRegion HIGH = new RemoteRegion(-4096, -1, Long.MAX_VALUE);

    @Test
    void textComesBack() {
        RemoteRegion region = new RemoteRegion(0x7f0000001000L, 0x1a2b, 4096);
        assertThat(region).hasToString("0x7f0000001000:0x1a2b:4096");
        assertThat(RemoteRegion.parse(region.toString())).isEqualTo(region);
        assertThat(RemoteRegion.parse(HIGH.toString())).isEqualTo(HIGH);
    }

    @Test
    void bytesComeBackInAnyOrder() {
        ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(3).put(HIGH.toBytes()).position(3);
        assertThat(RemoteRegion.from(bytes)).isEqualTo(HIGH);
        assertThat(bytes.position()).isEqualTo(3 + RemoteRegion.BYTES);
        assertThat(new RemoteRegion(1, 2, 3).toBytes())
                .containsExactly(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3);
    }

    @Test
    void slicesKeepTheKey() {
        assertThat(new RemoteRegion(100, 7, 50).slice(10, 40))
                .isEqualTo(new RemoteRegion(110, 7, 40));
    }
}
