package io.loomverbs.internal.rdmacm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.device.Errno;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an id is told of an event for which there was no memory. */
class LostEventsTest {
    /** Such an event is known by its type: the end of a connection is not lost. */
    @ParameterizedTest
    @ValueSource(
            ints = {
                Cm.EVENT_DISCONNECTED,
                Cm.EVENT_DEVICE_REMOVAL,
                Cm.EVENT_MULTICAST_ERROR,
                Cm.EVENT_ADDR_CHANGE,
                Cm.EVENT_TIMEWAIT_EXIT
            })
    void anEventWithoutContentIsAsGoodAsEver(int type) {
        assertThat(LostEvents.of(type).type()).isEqualTo(type);
        assertThat(LostEvents.of(type)).isSameAs(LostEvents.of(type));
    }

    /** It ends a step of the setup, and neither a listener nor a connection. */
    @ParameterizedTest
    @ValueSource(
            ints = {
                Cm.EVENT_ADDR_RESOLVED,
                Cm.EVENT_ROUTE_RESOLVED,
                Cm.EVENT_CONNECT_REQUEST,
                Cm.EVENT_CONNECT_RESPONSE,
                Cm.EVENT_ESTABLISHED,
                Cm.EVENT_REJECTED,
                Cm.EVENT_MULTICAST_JOIN,
                77
            })
    void ofTheOthersTheLossIsTold(int type) {
        assertThat(LostEvents.of(type).type()).isEqualTo(Cm.LOST_EVENT);
        assertThat(LostEvents.of(type).status()).isEqualTo(-Errno.ENOMEM);
        assertThat(LostEvents.of(type)).isSameAs(LostEvents.of(type));
    }
}
