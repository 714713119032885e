package io.loomverbs.internal.softcm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.cm.CmEvent;

import org.junit.jupiter.api.Test;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Set;

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

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    /** Ports that are taken are passed over, until there is none. */
    @Test
    void anIdThatNamesNoPortGetsAFreeOne() {
        InetSocketAddress taken =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), cm.ports.ephemeral() + 1);
        assertThat(id().bindAddr(taken)).isZero();
        Set<Integer> given = new HashSet<>();
        for (int i = 1; i < EPHEMERAL; i++) {
            InetSocketAddress got = cm.ports.bind(anyPort(), id());
            assertThat(got).isNotNull();
            given.add(got.getPort());
        }
        assertThat(given).hasSize(EPHEMERAL - 1).doesNotContain(taken.getPort());
        assertThat(cm.ports.bind(anyPort(), id())).isNull();
        cm.ports.unbind(taken);
        assertThat(cm.ports.bind(anyPort(), id())).isEqualTo(taken);
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
