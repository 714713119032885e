package io.loomverbs.internal.softcm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.cm.CmEvent;

import org.junit.jupiter.api.Test;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Ports of the embedded connection manager. */
class SoftPortsTest {
    private static final int EPHEMERAL = 65_536 - 49_152;

    private final SoftCm cm = new SoftCm("fake0", 1);

    private SoftCmId id() {
        return new SoftCmId(cm, (CmEvent event) -> {});
    }

    /** An id that is destroyed again leaves its port to the id that has it now. */
    @Test
    void aPortIsGivenBackOnce() {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 7);
        SoftCmId first = id();
        assertThat(first.bindAddr(address)).isZero();
        first.destroy();
        assertThat(id().bindAddr(address)).isZero();
        first.destroy();
        assertThat(id().bindAddr(address)).isNegative();
    }

    /** Ephemeral ports begin anew behind the last one. */
    @Test
    void ephemeralPortsGoRound() {
        int first = cm.ports.ephemeral();
        for (int i = 1; i < EPHEMERAL; i++) {
            assertThat(cm.ports.ephemeral()).isBetween(49_152, 65_535);
        }
        assertThat(cm.ports.ephemeral()).isEqualTo(first);
    }
}
