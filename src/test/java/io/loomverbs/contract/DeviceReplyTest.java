package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.LinkLayer;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpType;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/** Replies to datagrams, whose senders are known from their completions only. */
class DeviceReplyTest extends DeviceContract {
    private static final int BUFFER = 256;

    private void replyTo(AhAttributes address) {
        Pair p = pair(QpType.UD);
        MemoryRegion buffer = f.mr(BUFFER);
        AddressHandle toB = f.own(f.pd.createAh(address));
        p.b.postRecv(RecvWorkRequest.allocate(1).wrId(1).sge(buffer));
        p.a.postRecv(RecvWorkRequest.allocate(1).wrId(2).sge(f.mr(BUFFER)));
        p.a.postSend(p.send(3, 8).to(toB, p.b.qpNum(), Fixture.QKEY));
        Fixture.eventually("it has arrived", () -> receives.poll(batch) == 1);
        assertThat(batch.srcQp(0)).isEqualTo(p.a.qpNum());
        assertThat(batch.hasGrh(0)).isEqualTo(address.dgid() != null);

        AddressHandle reply = f.own(f.pd.createAhFromWc(batch, 0, buffer.memory(), 1));

        SendWorkRequest send =
                SendWorkRequest.allocate(1, 0)
                        .wrId(4)
                        .send()
                        .sge(buffer, GRH, 8)
                        .signaled()
                        .to(reply, batch.srcQp(0), Fixture.QKEY);
        p.b.postSend(send);
        List<WorkCompletion> all = new ArrayList<>(Fixture.poll(sends, 2)); // both of a
        assertThat(all).extracting(WorkCompletion::wrId).containsExactlyInAnyOrder(3L, 2L);
        assertThat(all).allMatch(wc -> wc.status() == WcStatus.SUCCESS);
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(4);
    }

    /** By the routing header: on Ethernet that of IPv4 or IPv6. */
    @Test
    void byTheRoutingHeader() {
        Pair p = pair(QpType.UD);
        replyTo(p.a.addressOf(p.b.endpoint()));
    }

    /** By the LID, where a message needs no routing header. */
    @Test
    void byTheLid() {
        if (Differences.EMBEDDED) {
            replyTo(new AhAttributes(1, f.context.port(1).lid(), 0, null, 0, 0, 0, 0));
        } else {
            assertThat(f.context.port(1).linkLayer()).isEqualTo(LinkLayer.ETHERNET);
        }
    }
}
