package io.loomverbs.cm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.AhAttributes;
import io.loomverbs.Gid;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmUdParam;
import io.loomverbs.internal.device.AhAttr;

import org.junit.jupiter.api.Test;

/** The address that the connection manager has for datagrams. */
class UdPeerTest {
    /** On InfiniBand the way may lead from another LID of the port, and be slower than the port. */
    @Test
    void thePathBitsAndTheRateOfTheWayAreKept() {
        AhAttr way = new AhAttr(1, 2, true, 3, 4, 5, 6, 7, 8, 1, 9, 10);
        byte[] nothing = {};
        CmEvent event =
                CmEvent.of(Cm.EVENT_MULTICAST_JOIN, nothing, new CmUdParam(way, 0xffffff, 11));
        assertThat(UdPeer.of(event).address())
                .isEqualTo(new AhAttributes(1, 7, 8, new Gid(1, 2), 3, 4, 5, 6, 9, 10));
    }
}
