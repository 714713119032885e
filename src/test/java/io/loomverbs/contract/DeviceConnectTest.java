package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.Gid;
import io.loomverbs.GidEntry;
import io.loomverbs.GidType;
import io.loomverbs.LinkLayer;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Mtu;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Two ends that tell each other where they are, and connect. */
class DeviceConnectTest extends DeviceContract {
    /** How often a sender was told that there is no receive, where the kernel counts that. */
    private static final Path RNR_NAKS =
            Path.of("/sys/class/infiniband", Fixture.DEVICE, "ports/1/hw_counters/rcvd_rnr_err");

    /** A sender that is told once that there is no receive fails. */
    private static final QpAttributes NO_RNR_RETRY = QpAttributes.builder().rnrRetry(0).build();

    private final MemoryRegion memory = f.mr(Fixture.BUFFER);

    private static long rnrNaks() throws IOException {
        return Files.exists(RNR_NAKS) ? Long.parseLong(Files.readString(RNR_NAKS).strip()) : 0;
    }

    private QueuePair sender() {
        return f.own(f.pd.createQp(sending(QpType.RC)));
    }

    private QueuePair receiver() {
        return f.own(f.pd.createQp(receiving(QpType.RC)));
    }

    private RecvWorkRequest receive(long wrId) {
        return RecvWorkRequest.allocate(1).wrId(wrId).sge(memory, 0, 64);
    }

    private SendWorkRequest message(long wrId) {
        return SendWorkRequest.allocate(1, 0).wrId(wrId).send().sge(memory, 64, 8).signaled();
    }

    /** What a socket would carry. */
    private static QpEndpoint sent(QpEndpoint endpoint) {
        String line = endpoint.toString();
        assertThat(line).doesNotContainAnyWhitespaces();
        assertThat(QpEndpoint.parse(line)).isEqualTo(endpoint);
        return QpEndpoint.parse(line);
    }

    /**
     * A receive that is posted in INIT is there before the peer can send: it never has to retry.
     */
    @Test
    void receivesArePostedBeforeThePeerCanSend() throws IOException {
        long before = rnrNaks();
        for (int i = 0; i < 20; i++) {
            QueuePair a = sender();
            QueuePair b = receiver();
            a.init();
            b.init();
            b.postRecv(receive(i));
            QpEndpoint toB = sent(b.endpoint());
            QpEndpoint toA = sent(a.endpoint());
            b.connect(toA, NO_RNR_RETRY);
            a.connect(toB, NO_RNR_RETRY);
            a.postSend(message(i));
            assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
            assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(i);
        }
        assertThat(rnrNaks() - before).as("RNR NAKs").isZero();
    }

    /** The other order, for comparison: the sender is turned away. */
    @Test
    void aReceiveThatIsPostedOnceConnectedMayBeLate() {
        QueuePair a = sender();
        QueuePair b = receiver();
        b.connect(a.endpoint());
        a.connect(b.endpoint(), NO_RNR_RETRY);
        a.postSend(message(1));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.RNR_RETRY_EXC_ERR);
    }

    /** UC and UD lose what comes too early. */
    @ParameterizedTest
    @EnumSource
    void everyTypeTakesReceivesInInit(QpType type) {
        QueuePair qp = f.own(f.pd.createQp(receiving(type)));
        qp.init();
        assertThat(qp.state()).isEqualTo(QpState.INIT);
        qp.postRecv(receive(1));
        if (type == QpType.UD) {
            qp.activate(Fixture.QKEY);
        } else {
            qp.connect(qp.endpoint());
        }
        assertThat(qp.state()).isEqualTo(QpState.RTS);
        qp.modify(QpAttributes.builder().state(QpState.ERR).build());
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(1);
    }

    /** A datagram's key may be given before or after INIT; the one of activate counts. */
    @Test
    void aDatagramReachesAReceiveOfInit() {
        QueuePair a = f.own(f.pd.createQp(sending(QpType.UD)));
        QueuePair b = f.own(f.pd.createQp(receiving(QpType.UD)));
        b.init();
        b.postRecv(receive(7));
        b.activate(Fixture.QKEY);
        a.activate(Fixture.QKEY);
        AddressHandle ah = f.own(f.pd.createAh(a.addressOf(sent(b.endpoint()))));
        a.postSend(message(1).to(ah, b.qpNum(), Fixture.QKEY));
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(7);
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
    }

    /** Access is granted by init, or by connect afterwards, and by nothing else. */
    @Test
    void accessIsGrantedInEitherStep() {
        QueuePair a = receiver();
        a.init(Access.REMOTE_READ);
        assertThat(a.query().access()).containsExactly(Access.REMOTE_READ);
        a.connect(a.endpoint());
        assertThat(a.query().access()).containsExactly(Access.REMOTE_READ);
        QueuePair b = receiver();
        b.init(Access.REMOTE_READ);
        b.connect(b.endpoint(), QpAttributes.builder().access(Access.REMOTE_WRITE).build());
        assertThat(b.query().access()).containsExactly(Access.REMOTE_WRITE);
    }

    /** A queue pair that was initialized by modify is connected as any other. */
    @Test
    void initByModifyWillDo() {
        QueuePair a = sender();
        a.modify(
                QpAttributes.builder()
                        .state(QpState.INIT)
                        .pkeyIndex(0)
                        .portNum(1)
                        .access()
                        .build());
        a.connect(a.endpoint());
        assertThat(a.state()).isEqualTo(QpState.RTS);
        assertThat(a.query().portNum()).isEqualTo(1);
    }

    /** The port and the GID of init are those of the endpoint and of the connection. */
    @Test
    void everyGidOfThePortCanBeUsed() {
        List<GidEntry> gids = f.context.gids(1);
        assertThat(gids).isNotEmpty();
        for (GidEntry entry : gids) {
            assertThat(f.context.gidEntry(1, entry.index())).isEqualTo(entry);
            assertThat(f.context.gid(1, entry.index())).isEqualTo(entry.gid());
            QueuePair a = sender();
            QueuePair b = receiver();
            a.init(1, entry.index());
            b.init(1, entry.index());
            assertThat(a.endpoint().gid()).isEqualTo(entry.gid());
            b.postRecv(receive(entry.index()));
            b.connect(a.endpoint());
            a.connect(b.endpoint());
            assertThat(a.query().address().sgidIndex()).isEqualTo(entry.index());
            a.postSend(message(1));
            assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
            Fixture.pollOne(receives);
        }
    }

    /** Without a word the GID is used that reaches farthest. */
    @Test
    void theDefaultGidIsRoutable() {
        int index = f.context.defaultGidIndex(1);
        assertThat(sender().endpoint().gid()).isEqualTo(f.context.gid(1, index));
        if (f.context.port(1).linkLayer() == LinkLayer.ETHERNET) {
            GidEntry entry = f.context.gidEntry(1, index);
            assertThat(entry.type()).isEqualTo(GidType.ROCE_V2);
            assertThat(isIpv4(entry.gid())).isTrue();
            assertThat(entry.netdev()).isNotNull();
        }
    }

    /** The smaller MTU of both ports, at both ends. */
    @Test
    void thePathMtuIsTheSmallerOne() {
        QueuePair a = sender();
        QpEndpoint told = a.endpoint();
        assertThat(told.mtu()).isEqualTo(f.context.port(1).activeMtu());
        a.connect(new QpEndpoint(told.qpNum(), told.psn(), told.lid(), told.gid(), Mtu.MTU_512));
        assertThat(a.query().pathMtu()).isEqualTo(Mtu.MTU_512);
        QueuePair b = sender();
        b.connect(b.endpoint());
        assertThat(b.query().pathMtu()).isEqualTo(b.endpoint().mtu());
    }

    /** A C program does not tell its MTU, nor does an endpoint of four values. */
    @Test
    void anEndpointWithoutMtuTakesThePorts() {
        QueuePair a = sender();
        QpEndpoint told = a.endpoint();
        a.connect(new QpEndpoint(told.qpNum(), told.psn(), told.lid(), told.gid()));
        assertThat(a.query().pathMtu()).isEqualTo(f.context.port(1).activeMtu());
    }

    /** An address without a chosen GID uses one that fits the destination. */
    @Test
    void anAddressFindsAFittingGid() {
        for (GidEntry entry : f.context.gids(1)) {
            f.own(f.pd.createAh(AhAttributes.of(entry.gid(), f.context.port(1).lid())));
        }
    }

    /** GIDs of two families never reach each other: the message names both, before the kernel. */
    @Test
    void gidsOfTwoFamiliesAreRefused() {
        QueuePair a = sender();
        Gid other = Gid.parse(isIpv4(a.endpoint().gid()) ? "fe80::99" : "10.99.0.1");
        QpEndpoint wrong = new QpEndpoint(1, 1, 1, other);
        if (f.context.port(1).linkLayer() == LinkLayer.ETHERNET) {
            assertThatThrownBy(() -> a.connect(wrong))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContainingAll(
                            "EINVAL", "dgid is " + other, "IPv6", "IPv4", "context.gids(1)");
            assertThatThrownBy(() -> a.connect(new QpEndpoint(1, 1, 1, null)))
                    .hasMessageContaining("dgid is null, but port 1 of " + f.context);
            assertThatThrownBy(() -> a.connect(new QpEndpoint(1, 1, 1, new Gid(0, 0))))
                    .hasMessageContaining("must not be zero");
            assertThatThrownBy(() -> f.pd.createAh(a.addressOf(wrong)))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("dgid is " + other);
        }
        a.connect(a.endpoint()); // it is in INIT, and can go on
        assertThat(a.state()).isEqualTo(QpState.RTS);
    }

    /** What another pair does is not changed by the way the connection was made. */
    @Test
    void connectFromResetIsAsBefore() {
        Pair p = pair(QpType.RC);
        p.message(1, 8);
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(1);
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
    }

    /** ::ffff:a.b.c.d */
    private static boolean isIpv4(Gid gid) {
        return gid.subnetPrefix() == 0 && gid.interfaceId() >>> 32 == 0xffff;
    }
}
