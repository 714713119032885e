package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Gid;
import io.loomverbs.Mtu;
import io.loomverbs.MwType;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.GidAttr;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.soft.FreshDevice;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** What is used and said of ports: on a device of two, of which only the answers are there. */
@Timeout(60)
class PortsTest {
    private static final int STATE_DOWN = 1;
    private static final int STATE_ACTIVE = 4;

    private final TwoPorts device = new TwoPorts();
    private final Context context = Opened.open(device);
    private final ProtectionDomain pd = context.allocPd();
    private final CompletionQueue cq = context.createCq(4, null, null, 0);
    private final QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq));

    @AfterEach
    void close() {
        qp.close();
        cq.close();
        pd.close();
        context.close();
    }

    private static QpEndpoint peer(String gid) {
        return new QpEndpoint(7, 8, 0, Gid.parse(gid), Mtu.MTU_512);
    }

    private void assertChanges(int port, int gidIndex) {
        assertThat(device.modified).hasSize(3);
        assertThat(device.modified.getFirst().portNum).isEqualTo(port);
        QpAttr rtr = device.modified.get(1);
        assertThat(rtr.av.portNum()).isEqualTo(port);
        assertThat(rtr.av.sgidIndex()).isEqualTo(gidIndex);
        assertThat(rtr.pathMtu).isEqualTo(2); // of the peer, which has the smaller one
    }

    /** From RESET with nothing said: port 1, and its GID of RoCE version 2 and IPv4. */
    @Test
    void whatTheDeviceLacksIsRefusedByName() {
        assertThatThrownBy(() -> pd.allocMw(MwType.TYPE_2))
                .isInstanceOf(VerbsException.class)
                .hasMessageStartingWith("ibv_alloc_mw: EOPNOTSUPP: ")
                .hasMessageEndingWith("; memory windows of TYPE_2 are not supported by " + context);
    }

    @Test
    void theFirstPortIsUsedByItself() {
        assertThat(qp.endpoint().gid()).isEqualTo(Gid.parse("10.1.0.1"));
        qp.connect(peer("10.1.0.9"));
        assertChanges(1, 2);
    }

    @Test
    void initNamesThePortAndTheGid() {
        qp.init(2, 1);
        assertThat(qp.endpoint().gid()).isEqualTo(Gid.parse("fe80::2"));
        qp.connect(peer("fe80::9"));
        assertChanges(2, 1);
    }

    @Test
    void connectMayNameThePort() {
        qp.connect(peer("10.2.0.9"), QpAttributes.builder().portNum(2).build());
        assertChanges(2, 2);
        assertThat(qp.endpoint().gid()).isEqualTo(Gid.parse("10.2.0.1"));
    }

    /** What was initialized by modify is found out. */
    @Test
    void thePortOfModifyIsUsed() {
        qp.modify(
                QpAttributes.builder()
                        .state(QpState.INIT)
                        .pkeyIndex(0)
                        .portNum(2)
                        .access()
                        .build());
        qp.connect(peer("10.2.0.9"));
        assertChanges(2, 2);
    }

    /** Every caller gets an address with a GID that fits. */
    @Test
    void aFittingGidIsFound() {
        AhAttributes open = AhAttributes.of(Gid.parse("fe80::9"), 0);
        pd.createAh(open).close();
        assertThat(device.lastAh.sgidIndex()).isEqualTo(1);
        pd.createAh(AhAttributes.of(Gid.parse("10.1.0.9"), 0)).close();
        assertThat(device.lastAh.sgidIndex()).isEqualTo(2);
        pd.createAh(qp.addressOf(peer("10.1.0.9"))).close();
        assertThat(device.lastAh.sgidIndex()).isEqualTo(2);
        qp.connect(peer("fe80::9"), QpAttributes.builder().address(open).build());
        assertChanges(1, 1);
    }

    @Test
    void gidsThatDoNotFitAreNamed() {
        qp.init(1, 1);
        String[] both = {
            "EINVAL",
            "dgid is " + Gid.parse("10.1.0.9") + ", of IPv4",
            "the GID at sgidIndex 1 is " + Gid.parse("fe80::1") + ", of IPv6",
            "context.gids(1)"
        };
        assertThatThrownBy(() -> qp.connect(peer("10.1.0.9")))
                .isInstanceOf(VerbsException.class)
                .hasMessageContainingAll(both);
        assertThatThrownBy(() -> pd.createAh(qp.addressOf(peer("10.1.0.9"))))
                .isInstanceOf(VerbsException.class)
                .hasMessageContainingAll(both);
        assertThat(device.modified).as("INIT alone").hasSize(1);
    }

    @Test
    void ethernetNeedsGids() {
        qp.init();
        assertThatThrownBy(() -> qp.connect(new QpEndpoint(7, 8, 9, null)))
                .hasMessageContainingAll("EINVAL", "dgid is null, but port 1 of two", "RoCE");
        assertThatThrownBy(() -> qp.connect(peer("::")))
                .hasMessageContainingAll("EINVAL", "must not be zero");
        assertThatThrownBy(() -> pd.createAh(new AhAttributes(1, 9, 0, null, 0, 0, 0, 0)))
                .hasMessageContainingAll("ibv_create_ah", "dgid is null");
    }

    /** Whatever the kernel says then: the route, the neighbour, the GID. */
    @Test
    void aPortThatIsDownIsNamed() {
        QpEndpoint peer = peer("10.1.0.9");
        qp.init();
        device.state = STATE_DOWN;
        for (int errno : new int[] {Errno.EINVAL, Errno.ENETUNREACH, Errno.ETIMEDOUT}) {
            device.errno = errno;
            assertThatThrownBy(() -> qp.connect(peer))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContainingAll(Errno.name(errno), "port 1 of two is DOWN");
            assertThatThrownBy(() -> pd.createAh(qp.addressOf(peer)))
                    .hasMessageContainingAll(Errno.name(errno), "port 1 of two is DOWN");
        }
        device.state = STATE_ACTIVE;
        assertThatThrownBy(() -> qp.connect(peer))
                .hasMessageContaining("ETIMEDOUT")
                .hasMessageNotContaining("DOWN");
    }

    /** A GID that was there when the endpoint was told. */
    @Test
    void aMissingGidIsNamed() {
        qp.init(1, 3);
        device.errno = Errno.ENODATA;
        assertThatThrownBy(() -> qp.connect(peer("10.1.0.9")))
                .hasMessageContaining("port 1 of two has no GID at sgidIndex 3, only at [0, 1, 2]");
    }

    @Test
    void valuesThatNoPortHasAreNamed() {
        QpAttributes.Builder init =
                QpAttributes.builder().state(QpState.INIT).access().pkeyIndex(0).portNum(3);
        assertThatThrownBy(() -> qp.modify(init.build()))
                .hasMessageContainingAll("EINVAL", "portNum is 3, but must be 1 to 2");
        QpAttributes.Builder mtu = QpAttributes.builder().state(QpState.RTR).pathMtu(Mtu.MTU_4096);
        assertThatThrownBy(() -> qp.modify(mtu.build()))
                .hasMessageContainingAll("EINVAL", "pathMtu is MTU_4096", "at most MTU_2048");
        assertThat(device.modified).isEmpty();
    }

    /** A partition's place in the table of its port, which {@code modify} has set. */
    @Test
    void theTableOfThePortThatItUsesCounts() {
        qp.modify(init().pkeyIndex(1).portNum(2).build());
        qp.modify(init().pkeyIndex(1).build());
        assertThat(device.modified).hasSize(2);
        assertThatThrownBy(() -> qp.modify(init().pkeyIndex(2).build()))
                .hasMessageContainingAll("pkeyIndex is 2", "0 to 1: pkey_tbl_len of port 2");
        assertThatThrownBy(() -> qp.modify(init().pkeyIndex(1).portNum(1).build()))
                .hasMessageContainingAll("pkeyIndex is 1", "0 to 0: pkey_tbl_len of port 1");
    }

    private static QpAttributes.Builder init() {
        return QpAttributes.builder().state(QpState.INIT).access();
    }

    /**
     * Two ports of Ethernet; partitions in the second alone; what it takes to have a queue pair is
     * soft0's.
     */
    private static final class TwoPorts implements DeviceOps {
        final List<QpAttr> modified = new ArrayList<>();
        volatile int state = STATE_ACTIVE;
        volatile int errno;
        AhAttr lastAh = AhAttr.NONE;

        @Override
        public String name() {
            return "two";
        }

        @Override
        public long guid() {
            return 2;
        }

        @Override
        public ContextOps open(PortListener events) {
            return new Ops(FreshDevice.create().open(events));
        }

        private final class Ops implements ContextOps {
            private final ContextOps soft;

            Ops(ContextOps soft) {
                this.soft = soft;
            }

            @Override
            public DeviceAttr queryDevice() {
                DeviceAttr a = soft.queryDevice();
                return new DeviceAttr(
                        a.fwVer(),
                        a.nodeGuid(),
                        a.sysImageGuid(),
                        a.maxMrSize(),
                        a.pageSizeCap(),
                        a.vendorId(),
                        a.vendorPartId(),
                        a.hwVer(),
                        a.maxQp(),
                        a.maxQpWr(),
                        a.deviceCapFlags(),
                        a.maxSge(),
                        a.maxSgeRd(),
                        a.maxCq(),
                        a.maxCqe(),
                        a.maxMr(),
                        a.maxPd(),
                        a.maxMw(),
                        a.maxAh(),
                        a.maxSrq(),
                        a.maxSrqWr(),
                        a.maxSrqSge(),
                        a.maxQpRdAtom(),
                        a.maxQpInitRdAtom(),
                        a.maxResRdAtom(),
                        a.maxInlineData(),
                        a.atomicCap(),
                        a.maxMcastGrp(),
                        a.maxMcastQpAttach(),
                        a.maxTotalMcastQpAttach(),
                        a.maxPkeys(),
                        a.localCaAckDelay(),
                        2,
                        a.numCompVectors());
            }

            @Override
            public PortAttr queryPort(int port) {
                return new PortAttr(
                        state, 4, 3, 4, 0, 1 << 20, 0, 0, port, 0, 0, 0, 1, 0, 18, 0, 1, 1, 5, 2, 0,
                        0);
            }

            @Override
            public byte[] queryGid(int port, int index) {
                String text =
                        switch (index) {
                            case 0, 1 -> "fe80::" + port;
                            case 2 -> "10." + port + ".0.1";
                            default -> "::";
                        };
                return Gid.parse(text).toBytes();
            }

            @Override
            public @Nullable GidAttr queryGidEx(int port, int index) {
                ByteBuffer gid = ByteBuffer.wrap(queryGid(port, index));
                int type = index == 0 ? Ibv.GID_TYPE_ROCE_V1 : Ibv.GID_TYPE_ROCE_V2;
                return index > 2 ? null : new GidAttr(gid.getLong(), gid.getLong(), index, type, 0);
            }

            @Override
            public CqOps createCq(
                    int cqe, @Nullable ChannelOps channel, int vector, CqListener events) {
                return soft.createCq(cqe, channel, vector, events);
            }

            @Override
            public PdOps allocPd() {
                return new Pd();
            }

            @Override
            public void close() {
                soft.close();
            }
        }

        private final class Pd implements PdOps {
            @Override
            public QpOps createQp(
                    QpInit init, CqOps send, CqOps recv, SrqOps srq, AsyncListener events) {
                return new Qp(init.cap());
            }

            @Override
            public AhOps createAh(AhAttr attr) {
                if (errno != 0) {
                    throw new DeviceException(errno, attr.toString());
                }
                lastAh = attr;
                return () -> 0;
            }

            @Override
            public int dealloc() {
                return 0;
            }
        }

        private final class Qp implements QpOps {
            private final QpCap cap;

            Qp(QpCap cap) {
                this.cap = cap;
            }

            @Override
            public int qpNum() {
                return 1;
            }

            @Override
            public QpCap cap() {
                return cap;
            }

            @Override
            public int modify(QpAttr attr, int mask) {
                if (errno != 0) {
                    return -errno;
                }
                modified.add(attr);
                return 0;
            }

            @Override
            public int query(QpAttr attr) {
                if (!modified.isEmpty()) {
                    attr.qpState = modified.getLast().qpState;
                    attr.portNum = modified.getFirst().portNum;
                }
                return 0;
            }

            @Override
            public long postSend(SendWr first) {
                throw new UnsupportedOperationException();
            }

            @Override
            public long postRecv(RecvWr first) {
                throw new UnsupportedOperationException();
            }

            @Override
            public int destroy() {
                return 0;
            }
        }
    }
}
