package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Context;
import io.loomverbs.Mtu;
import io.loomverbs.Opened;
import io.loomverbs.PortAttributes;
import io.loomverbs.PortState;
import io.loomverbs.QpAttributes;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.soft.FreshDevice;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.concurrent.atomic.AtomicInteger;

/** Devices that open, and then do not answer, or answer what verbs has no name for. */
class OpenFailureTest {
    /** soft0 under another name, but for what a test changes. */
    private static class Changed implements DeviceOps, ContextOps {
        private final ContextOps soft = FreshDevice.create().open((type, port) -> {});
        final AtomicInteger closed = new AtomicInteger();

        @Override
        public String name() {
            return "changed";
        }

        @Override
        public long guid() {
            return 1;
        }

        @Override
        public ContextOps open(PortListener events) {
            return this;
        }

        @Override
        public DeviceAttr queryDevice() {
            return soft.queryDevice();
        }

        @Override
        public PortAttr queryPort(int port) {
            return soft.queryPort(port);
        }

        @Override
        public byte[] queryGid(int port, int index) {
            return soft.queryGid(port, index);
        }

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }

    @Test
    void aDeviceThatDoesNotSayWhatItIsIsClosedAgain() {
        Changed device =
                new Changed() {
                    @Override
                    public DeviceAttr queryDevice() {
                        throw new DeviceException(Errno.EIO, "planted");
                    }
                };
        assertThatThrownBy(() -> Opened.open(device))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("ibv_open_device: EIO: planted");
        assertThat(device.closed).hasValue(1);
    }

    @Test
    void anErrorWhileItIsOpenedClosesItToo() {
        OutOfMemoryError planted = new OutOfMemoryError("planted");
        DeviceException refusal = new DeviceException(Errno.EBUSY, "refused");
        Changed device =
                new Changed() {
                    @Override
                    public DeviceAttr queryDevice() {
                        throw planted;
                    }

                    @Override
                    public void close() {
                        super.close();
                        throw refusal;
                    }
                };
        assertThatThrownBy(() -> Opened.open(device)).isSameAs(planted);
        assertThat(planted.getSuppressed()).containsExactly(refusal);
        assertThat(device.closed).hasValue(1);
    }

    /** Omni-Path has 6 and 7, a port that is down may have 0. */
    @ParameterizedTest
    @ValueSource(ints = {0, 6, 7, -1, Integer.MAX_VALUE})
    void aPortWithAnotherMtuIsUsable(int mtu) {
        Changed device =
                new Changed() {
                    @Override
                    public PortAttr queryPort(int port) {
                        PortAttr p = super.queryPort(port);
                        return new PortAttr(
                                p.state(),
                                mtu,
                                mtu,
                                p.gidTblLen(),
                                p.portCapFlags(),
                                p.maxMsgSz(),
                                p.badPkeyCntr(),
                                p.qkeyViolCntr(),
                                p.pkeyTblLen(),
                                p.lid(),
                                p.smLid(),
                                p.lmc(),
                                p.maxVlNum(),
                                p.smSl(),
                                p.subnetTimeout(),
                                p.initTypeReply(),
                                p.activeWidth(),
                                p.activeSpeed(),
                                p.physState(),
                                p.linkLayer(),
                                p.flags(),
                                p.portCapFlags2());
                    }
                };
        try (Context context = Opened.open(device)) {
            PortAttributes port = context.port(1);
            assertThat(port.maxMtu()).isEqualTo(Mtu.UNKNOWN);
            assertThat(port.activeMtu()).isEqualTo(Mtu.UNKNOWN);
            assertThat(port.activeMtu().bytes()).isZero();
            assertThat(port.state()).isEqualTo(PortState.ACTIVE);
            assertThat(context.gid(1, 0)).isNotNull();
        }
    }

    @Test
    void nobodySetsAnMtuThatIsNotKnown() {
        assertThatThrownBy(() -> QpAttributes.builder().pathMtu(Mtu.UNKNOWN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("pathMtu is UNKNOWN, but must be MTU_256 to MTU_4096");
    }
}
