package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.Gid;
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

import java.util.ArrayList;
import java.util.List;

/** Multicast of datagrams: queue pairs that are attached to a group, and those that are not. */
class DeviceMulticastTest extends DeviceContract {
    private static final int GROUP_QPN = 0xffffff;
    private static final Gid GROUP = Gid.parse("ff0e::ffff:e000:0142"); // 224.0.1.66
    private static final Gid OTHER = Gid.parse("ff0e::ffff:e000:0143");

    private final QueuePair sender = f.own(f.pd.createQp(sending(QpType.UD)));
    private final List<QueuePair> receivers = new ArrayList<>();

    private QueuePair receiver(long wrId) {
        QueuePair qp = f.own(f.pd.createQp(receiving(QpType.UD)));
        qp.activate(Fixture.QKEY);
        qp.postRecv(RecvWorkRequest.allocate(1).wrId(wrId).sge(f.mr(256)));
        receivers.add(qp);
        return qp;
    }

    private void sendTo(Gid group) {
        AhAttributes address = new AhAttributes(1, 0, 0, group, 0, 1, 0, 0);
        AddressHandle ah = f.own(f.pd.createAh(address));
        sender.postSend(
                SendWorkRequest.allocate(1, 0)
                        .wrId(9)
                        .send()
                        .sge(f.mr(64))
                        .signaled()
                        .to(ah, GROUP_QPN, Fixture.QKEY));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
    }

    /** All that are attached get the message, with the group's address in its header. */
    @Test
    void attachedQueuePairsGetTheMessage() {
        if (!Differences.loopsMulticastBack()) {
            QueuePair qp = receiver(1);
            qp.attachMcast(GROUP, 0);
            qp.detachMcast(GROUP, 0);
            return;
        }
        sender.activate(Fixture.QKEY);
        receiver(1).attachMcast(GROUP, 0);
        receiver(2).attachMcast(GROUP, 0);
        receiver(3).attachMcast(OTHER, 0);
        receiver(4);
        sendTo(GROUP);
        List<WorkCompletion> got = Fixture.poll(receives, 2);
        assertThat(got).extracting(WorkCompletion::wrId).containsExactlyInAnyOrder(1L, 2L);
        assertThat(got).allMatch(wc -> wc.srcQp() == sender.qpNum() && wc.hasGrh());
        assertThat(got).allMatch(wc -> wc.byteLen() == 64 + GRH);

        receivers.get(0).detachMcast(GROUP, 0);
        receivers.get(2).detachMcast(OTHER, 0);
        receivers.get(2).attachMcast(GROUP, 0);
        sendTo(OTHER);
        sendTo(GROUP);
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(3);
        quiet();
        receivers.get(1).detachMcast(GROUP, 0);
        receivers.get(2).detachMcast(GROUP, 0);
    }

    /** Attaching twice is once; a queue pair that is attached cannot be closed. */
    @Test
    void attachAndDetach() {
        QueuePair qp = receiver(1);
        qp.attachMcast(GROUP, 0);
        qp.attachMcast(GROUP, 0);
        qp.attachMcast(OTHER, 0);
        assertThatThrownBy(qp::close).hasMessageContaining("EBUSY");
        qp.detachMcast(GROUP, 0);
        assertThatThrownBy(() -> qp.detachMcast(GROUP, 0))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("EINVAL");
        assertThatThrownBy(qp::close).hasMessageContaining("EBUSY");
        qp.detachMcast(OTHER, 0);
        qp.close();
    }
}
