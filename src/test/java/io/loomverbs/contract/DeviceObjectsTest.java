package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Access;
import io.loomverbs.DeviceAttributes;
import io.loomverbs.ExtendedDeviceAttributes;
import io.loomverbs.MemoryRegion;
import io.loomverbs.PortAttributes;
import io.loomverbs.PortState;
import io.loomverbs.PostException;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What queue pairs, regions and the device itself are granted, and say of themselves. */
class DeviceObjectsTest extends DeviceContract {
    /** A queue takes as many requests as it was granted, and no more until some have completed. */
    @Test
    void aQueueTakesWhatItWasGranted() {
        Pair p = pair(QpType.RC);
        int granted = p.b.config().maxRecvWr();
        for (int i = 0; i < granted; i++) {
            p.recv(i);
        }
        if (!Differences.queuesAreExact()) {
            // Up to the next power of two, less one.
            int all = 2 * Integer.highestOneBit(granted) - 1;
            assertThat(all).isGreaterThan(granted);
            for (int i = granted; i < all; i++) {
                p.recv(i);
            }
        }
        assertThatThrownBy(() -> p.recv(granted))
                .isInstanceOfSatisfying(
                        PostException.class, e -> assertThat(e.errnoName()).isEqualTo("ENOMEM"))
                .hasMessageContaining(String.valueOf(granted));
        p.a.postSend(p.send(1, 0));
        Fixture.pollOne(receives);
        p.recv(granted);
        Fixture.pollOne(sends);
        assertThatThrownBy(() -> p.recv(granted)).isInstanceOf(PostException.class);
    }

    /** Done is not free: a place is, when a later completion was polled. */
    @Test
    void aPlaceIsFreeWhenACompletionWasPolled() {
        Pair p = f.new Pair(QpType.RC, sending(QpType.RC).withWr(4, 4), receiving(QpType.RC));
        for (int i = 0; i < 4; i++) {
            p.recv(i);
            p.a.postSend(i == 2 ? p.send(i, 8) : unsignalled(p, i));
        }
        Fixture.poll(receives, 4);
        if (Differences.placesAreFreedByPolling() && Differences.queuesAreExact()) {
            p.recv(4);
            assertThatThrownBy(() -> p.a.postSend(p.send(4, 8)))
                    .isInstanceOfSatisfying(
                            PostException.class,
                            e -> assertThat(e.errnoName()).isEqualTo("ENOMEM"));
        }
        assertThat(Fixture.pollOne(sends).wrId()).isEqualTo(2);
        for (int i = 5; i < 8; i++) {
            p.a.postSend(p.send(i, 8));
        }
        if (Differences.placesAreFreedByPolling() && Differences.queuesAreExact()) {
            assertThatThrownBy(() -> p.a.postSend(p.send(8, 8))).isInstanceOf(PostException.class);
        }
    }

    private static SendWorkRequest unsignalled(Pair p, long wrId) {
        return SendWorkRequest.allocate(1, 0).wrId(wrId).send().sge(p.aMemory, 0, 8);
    }

    /** One queue pair only sends, and the other only receives: each has one queue. */
    @ParameterizedTest
    @EnumSource(QpType.class)
    void aQueueMayBeOfNoRequests(QpType type) {
        Pair p =
                f
                .new Pair(
                        type,
                        sending(type).withWr(16, 0).withSge(1, 0),
                        receiving(type).withWr(0, 16).withSge(0, 1));
        for (int i = 0; i < 20; i++) {
            p.message(i, 8);
            assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
            assertThat(Fixture.pollOne(receives).status()).isEqualTo(WcStatus.SUCCESS);
        }
        RecvWorkRequest receive = RecvWorkRequest.allocate(1).wrId(1);
        SendWorkRequest send = p.send(1, 0);

        assertThatThrownBy(() -> p.a.postRecv(receive))
                .isInstanceOf(PostException.class)
                .hasMessageContaining("has no receive queue");
        assertThatThrownBy(() -> p.b.postSend(send))
                .isInstanceOf(PostException.class)
                .hasMessageContaining("has no send queue");
        for (QueuePair qp : List.of(p.a, p.b)) {
            qp.modify(QpAttributes.builder().state(QpState.ERR).build());
            qp.modify(QpAttributes.builder().state(QpState.RESET).build());
        }
        quiet();
    }

    /** Entries in requests, not requests: a message of no bytes has none. */
    @Test
    void requestsMayHaveNoEntries() {
        Pair p =
                f
                .new Pair(
                        QpType.RC,
                        sending(QpType.RC).withSge(0, 0),
                        receiving(QpType.RC).withSge(0, 0));
        p.b.postRecv(RecvWorkRequest.allocate(1).wrId(7));
        p.a.postSend(p.send(1, 0));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(Fixture.pollOne(receives).byteLen()).isZero();
        if (p.a.config().maxSendSge() == 0) {
            assertThatThrownBy(() -> p.a.postSend(p.send(2, 8)))
                    .isInstanceOf(PostException.class)
                    .hasMessageContaining("granted 0");
        }
        if (p.b.config().maxRecvSge() == 0) {
            assertThatThrownBy(() -> p.recv(8))
                    .isInstanceOf(PostException.class)
                    .hasMessageContaining("granted 0");
        }
    }

    /** A queue pair steps through its states as verbs have it, and query shows them. */
    @Test
    void theStatesOfAQueuePair() {
        QueuePair qp = f.own(f.pd.createQp(sending(QpType.RC)));
        assertThat(qp.state()).isEqualTo(QpState.RESET);
        for (QpState to : List.of(QpState.RTR, QpState.RTS, QpState.SQD)) {
            assertThatThrownBy(() -> qp.modify(QpAttributes.builder().state(to).build()))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("EINVAL");
            assertThat(qp.state()).isEqualTo(QpState.RESET);
        }
        QueuePair other = f.own(f.pd.createQp(sending(QpType.RC)));
        qp.connect(other.endpoint(), QpAttributes.builder().minRnrTimer(9).retryCnt(3).build());
        QpAttributes is = qp.query();
        assertThat(is.state()).isEqualTo(QpState.RTS);
        assertThat(is.destQpNum()).isEqualTo(other.qpNum());
        assertThat(is.rqPsn()).isEqualTo(other.endpoint().psn());
        assertThat(is.minRnrTimer()).isEqualTo(9);
        assertThat(is.retryCnt()).isEqualTo(3);
        assertThat(is.portNum()).isEqualTo(1);
    }

    /** A hint that every device takes, and a kind of memory that only some have. */
    @Test
    void optionalAccess() {
        Pair p = pair(QpType.RC);
        List<Access> optional = new ArrayList<>(List.of(Access.RELAXED_ORDERING));
        if (Differences.pagesOnDemand()) {
            optional.add(Access.ON_DEMAND);
        } else {
            assertThatThrownBy(() -> f.pd.allocateMr(64, Access.ON_DEMAND))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("ibv_reg_mr")
                    .hasMessageContaining("on-demand paging is not supported by");
        }
        for (Access access : optional) {
            MemoryRegion mr = f.own(f.pd.allocateMr(64, Access.LOCAL_WRITE, access));
            assertThat(mr.access()).containsExactlyInAnyOrder(Access.LOCAL_WRITE, access);
            p.b.postRecv(RecvWorkRequest.allocate(1).wrId(9).sge(mr));
            p.a.postSend(p.send(1, 8));
            assertThat(Fixture.pollOne(receives).status()).isEqualTo(WcStatus.SUCCESS);
            Fixture.pollOne(sends);
        }
    }

    /** What the device says of optional features is what it does. */
    @Test
    void extendedAttributes() {
        ExtendedDeviceAttributes is = f.context.extendedAttributes();
        assertThat((is.odpGeneralCaps() & 1) != 0).isEqualTo(Differences.pagesOnDemand());
        assertThat(is.rcOdpCaps() != 0).isEqualTo(Differences.pagesOnDemand());
        assertThat(is.maxModerationCount() > 0).isEqualTo(Differences.moderates());
        assertThat(is.maxModerationMicros() > 0).isEqualTo(Differences.moderates());
        assertThat(is.completionTimestampMask() != 0).isEqualTo(Differences.stampsCompletions());
        assertThat(is.hcaCoreClock() > 0).isEqualTo(Differences.stampsCompletions());
        assertThat(f.context.extendedAttributes()).isEqualTo(is);
    }

    /** Memory of a direct buffer, from its position to its limit, sends and receives. */
    @Test
    void aDirectBuffer() {
        Pair p = pair(QpType.RC);
        ByteBuffer buffer = ByteBuffer.allocateDirect(64).position(8).limit(24);
        MemoryRegion mr = f.own(f.pd.regMr(buffer, Access.LOCAL_WRITE));
        assertThat(mr.length()).isEqualTo(16);
        assertThat(mr.address()).isEqualTo(MemorySegment.ofBuffer(buffer).address());
        p.aMemory.memory().set(ValueLayout.JAVA_LONG, 0, 0x0102_0304_0506_0708L);
        p.b.postRecv(RecvWorkRequest.allocate(1).wrId(9).sge(mr));
        p.a.postSend(p.send(1, 8));
        assertThat(Fixture.pollOne(receives).status()).isEqualTo(WcStatus.SUCCESS);
        Fixture.pollOne(sends);
        assertThat(buffer.order(ByteOrder.nativeOrder()).getLong(8))
                .isEqualTo(0x0102_0304_0506_0708L);
    }

    /** Numbers and keys of objects that live at the same time differ. */
    @Test
    void numbersAreUnique() {
        Set<Integer> qpNums = new HashSet<>();
        Set<Integer> keys = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            QueuePair qp = f.own(f.pd.createQp(sending(QpType.UD)));
            assertThat(qp.qpNum()).isBetween(0, 0xffffff);
            qpNums.add(qp.qpNum());
            keys.add(f.mr(64).lkey());
        }
        assertThat(qpNums).hasSize(20);
        assertThat(keys).hasSize(20);
    }

    /** What the device says of itself fits together. */
    @Test
    void theAttributesMakeSense() {
        DeviceAttributes is = f.context.attributes();
        assertThat(is.nodeGuid()).isEqualTo(f.context.device().guid());
        assertThat(is.numCompVectors()).isEqualTo(f.context.numCompVectors()).isPositive();
        assertThat(List.of(is.maxQp(), is.maxCq(), is.maxCqe(), is.maxMr(), is.maxPd()))
                .allSatisfy(limit -> assertThat(limit).isPositive());
        for (int port = 1; port <= is.physicalPortCount(); port++) {
            PortAttributes p = f.context.port(port);
            assertThat(p.gidTableLength()).isPositive();
            assertThat(p.activeMtu()).isLessThanOrEqualTo(p.maxMtu());
            assertThat(f.context.gid(port, 0)).isNotNull();
            assertThat(f.context.pkey(port, 0)).as("of the default partition").isEqualTo(0xffff);
            assertThat(f.context.pkeyIndex(port, 0xffff)).isZero();
            assertThat(f.context.pkeyIndex(port, 0x7ffe)).as("no such key").isEqualTo(-1);
            assertThat(p.lmc()).isBetween(0, 7);
            assertThat(p.maxVlNum()).isBetween(0, 5);
            assertThat(p.activeSpeed()).isPositive();
        }
        assertThat(f.context.port(1).state()).isEqualTo(PortState.ACTIVE);
    }
}
