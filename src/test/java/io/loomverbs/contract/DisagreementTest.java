package io.loomverbs.contract;

import static io.loomverbs.support.Fixture.pollOne;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Gid;
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
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.foreign.ValueLayout;

/** Two ends that were told different things: the commonest mistakes when a program is new. */
class DisagreementTest extends DeviceContract {
    private static final int TIMEOUT_1_MS = 8;
    private static final int PSN = 100;

    private final MemoryRegion memory = f.mr(Fixture.BUFFER);

    private static QpAttributes.Builder fewRetries() {
        return QpAttributes.builder().access(Fixture.anything()).timeout(TIMEOUT_1_MS).retryCnt(2);
    }

    private QueuePair[] connected(QpType type, QpAttributes ofA, QpAttributes ofB) {
        QueuePair a = f.own(f.pd.createQp(sending(type)));
        QueuePair b = f.own(f.pd.createQp(receiving(type)));
        a.connect(b.endpoint(), ofA);
        b.connect(a.endpoint(), ofB);
        b.postRecv(RecvWorkRequest.allocate(1).wrId(7).sge(memory, 4096, 4096));
        return new QueuePair[] {a, b};
    }

    private SendWorkRequest message(int length) {
        return SendWorkRequest.allocate(1, 0).wrId(1).send().signaled().sge(memory, 0, length);
    }

    @Test
    void aSenderThatIsAheadOfItsPeerGivesUp() {
        QueuePair[] ends =
                connected(
                        QpType.RC,
                        fewRetries().sqPsn(PSN + 1).build(),
                        fewRetries().rqPsn(PSN).build());

        ends[0].postSend(message(8));

        assertThat(pollOne(sends).status()).isEqualTo(WcStatus.RETRY_EXC_ERR);
        quiet();
    }

    @Test
    void aSenderThatIsBehindItsPeerIsAcknowledgedAndNotHeard() {
        QueuePair[] ends =
                connected(
                        QpType.RC,
                        fewRetries().sqPsn(PSN).build(),
                        fewRetries().rqPsn(PSN + 1).build());

        ends[0].postSend(message(8));
        if (!Differences.acknowledgesWhatIsBehind()) {
            assertThat(pollOne(sends).status()).isEqualTo(WcStatus.RETRY_EXC_ERR);
            quiet();
            return;
        }
        assertThat(pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        quiet();

        ends[0].postSend(message(9));
        assertThat(pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(pollOne(receives).byteLen()).isEqualTo(9);
    }

    @ParameterizedTest
    @EnumSource(
            value = Mtu.class,
            names = {"MTU_256", "MTU_512"})
    void packetsOfAnotherSizeAreRefused(Mtu mtu) {
        Mtu other = mtu == Mtu.MTU_256 ? Mtu.MTU_512 : Mtu.MTU_256;
        QueuePair[] ends =
                connected(
                        QpType.RC,
                        fewRetries().pathMtu(mtu).build(),
                        fewRetries().pathMtu(other).build());

        ends[0].postSend(message(256));
        assertThat(pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(pollOne(receives).byteLen()).isEqualTo(256);

        ends[1].postRecv(RecvWorkRequest.allocate(1).wrId(8).sge(memory, 4096, 4096));
        ends[0].postSend(message(1000));
        assertThat(pollOne(sends).status())
                .isEqualTo(
                        Differences.checksPacketSizes()
                                ? WcStatus.REM_INV_REQ_ERR
                                : WcStatus.SUCCESS);
    }

    @Test
    void unreliablePacketsOfAnotherSizeAreLost() {
        QpAttributes.Builder small = QpAttributes.builder().pathMtu(Mtu.MTU_256);
        QpAttributes.Builder large = QpAttributes.builder().pathMtu(Mtu.MTU_512);
        QueuePair[] ends = connected(QpType.UC, large.build(), small.build());

        ends[0].postSend(message(1000));

        assertThat(pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        if (Differences.checksPacketSizes()) {
            quiet();
        } else {
            assertThat(pollOne(receives).byteLen()).isEqualTo(1000);
        }
    }

    /**
     * A requester that was told more than its peer serves: a device may refuse what is too much.
     */
    @Test
    void moreReadsThanThePeerServes() {
        QueuePair[] ends =
                connected(
                        QpType.RC,
                        fewRetries().maxRdAtomic(4).build(),
                        fewRetries().maxDestRdAtomic(1).build());
        ends[0].postSend(read(1).fence().next(read(2).fence())); // one after the other
        assertThat(Fixture.poll(sends, 2))
                .extracting(WorkCompletion::status)
                .containsOnly(WcStatus.SUCCESS);

        ends[0].postSend(read(3).next(read(4).next(read(5))));

        assertThat(Fixture.poll(sends, 3))
                .extracting(WorkCompletion::status)
                .containsExactly(
                        Differences.refusesTooManyReads()
                                ? new WcStatus[] {
                                    WcStatus.SUCCESS,
                                    WcStatus.REM_INV_REQ_ERR,
                                    WcStatus.WR_FLUSH_ERR
                                }
                                : new WcStatus[] {
                                    WcStatus.SUCCESS, WcStatus.SUCCESS, WcStatus.SUCCESS
                                });
    }

    private SendWorkRequest read(long wrId) {
        return SendWorkRequest.allocate(1, 0)
                .wrId(wrId)
                .signaled()
                .sge(memory, 0, 8)
                .rdmaRead(memory.address() + 4096, memory.rkey());
    }

    /**
     * One end begins anew with numbers that it has used: its peer repeats what it answered then.
     */
    @Test
    void anAtomicThatSeemsRepeatedGetsItsOldResult() {
        QueuePair[] ends =
                connected(
                        QpType.RC,
                        fewRetries().sqPsn(PSN).build(),
                        fewRetries().rqPsn(PSN).maxDestRdAtomic(2).build());
        for (int i = 0; i < 3; i++) {
            add(ends[0], WcStatus.SUCCESS, i);
        }
        for (int i = 0; i < 3; i++) {
            ends[0].modify(QpAttributes.builder().state(QpState.RESET).build());
            ends[0].connect(ends[1].endpoint(), fewRetries().sqPsn(PSN + i).build());
            // The oldest of three is not kept by a responder with two resources.
            add(ends[0], i == 0 ? WcStatus.RETRY_EXC_ERR : WcStatus.SUCCESS, i);
        }
        assertThat(memory.memory().get(ValueLayout.JAVA_LONG, 4096)).isEqualTo(3);
    }

    private void add(QueuePair from, WcStatus status, long before) {
        from.postSend(
                SendWorkRequest.allocate(1, 0)
                        .signaled()
                        .sge(memory, 0, 8)
                        .fetchAndAdd(memory.address() + 4096, memory.rkey(), 1));
        assertThat(pollOne(sends).status()).isEqualTo(status);
        if (status == WcStatus.SUCCESS) {
            assertThat(memory.memory().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(before);
        }
    }

    /** Where the network is asked for an address, this fails before any message. */
    @Test
    void anAddressOfNobodyIsNotAnswered() {
        QpEndpoint nobody = nobody();
        QueuePair a = f.own(f.pd.createQp(sending(QpType.RC)));
        try {
            a.connect(nobody, fewRetries().build());
        } catch (VerbsException e) {
            assertThat(Differences.asksTheNetworkForAddresses()).as("%s", e).isTrue();
            return;
        }

        a.postSend(message(8));

        assertThat(pollOne(sends).status()).isEqualTo(WcStatus.RETRY_EXC_ERR);
    }

    private QpEndpoint nobody() {
        QueuePair b = f.own(f.pd.createQp(receiving(QpType.RC)));
        byte[] gid = b.endpoint().gid().toBytes();
        gid[15] = (byte) ~gid[15];
        return new QpEndpoint(b.qpNum(), 0, b.endpoint().lid(), Gid.of(gid));
    }

    /** Without a timeout nothing is sent again, also when the peer comes later. */
    @Test
    void aRequestWithoutATimeoutStays() throws Exception {
        QueuePair a = f.own(f.pd.createQp(sending(QpType.RC)));
        QueuePair b = f.own(f.pd.createQp(receiving(QpType.RC)));
        a.connect(b.endpoint(), fewRetries().timeout(0).build());
        a.postSend(message(8));
        a.postSend(message(9).wrId(2));
        Thread.sleep(Fixture.QUIET);
        b.connect(a.endpoint(), fewRetries().build());
        b.postRecv(RecvWorkRequest.allocate(1).wrId(7).sge(memory, 4096, 4096));
        Thread.sleep(Fixture.QUIET);
        quiet();

        a.modify(QpAttributes.builder().state(QpState.ERR).build());

        assertThat(Fixture.poll(sends, 2))
                .extracting(WorkCompletion::status)
                .containsOnly(WcStatus.WR_FLUSH_ERR);
    }
}
