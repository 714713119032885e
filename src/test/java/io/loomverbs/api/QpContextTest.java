package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqGroup;
import io.loomverbs.GroupCompletions;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** From a completion to its queue pair, and to the object that this was created with. */
@Tag("device")
@Timeout(60)
class QpContextTest {
    private static final int CONNECTIONS = 40;

    private final Fixture f = new Fixture();

    @AfterEach
    void close() throws Exception {
        f.close();
    }

    private QueuePair qp(ProtectionDomain pd, CompletionQueue cq, Object context) {
        return f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withQpContext(context)));
    }

    private static void connect(QueuePair a, QueuePair b) {
        a.connect(b.endpoint());
        b.connect(a.endpoint());
    }

    private static void send(QueuePair from, QueuePair to, MemoryRegion memory) {
        to.postRecv(RecvWorkRequest.allocate(1).sge(memory, 0, 8));
        from.postSend(SendWorkRequest.allocate(1, 0).send().sge(memory, 8, 8).signaled());
    }

    @Test
    @SuppressWarnings("try") // the explicit close is what is tried
    void aQueuePairHasWhatItWasCreatedWith() {
        CompletionQueue cq = f.polled();
        QpConfig config = QpConfig.of(QpType.RC, cq);
        try (QueuePair none = f.pd.createQp(config);
                QueuePair mine = f.pd.createQp(config.withQpContext("mine").withWr(4, 4))) {
            assertThat(none.qpContext()).isNull();
            assertThat(mine.qpContext()).isEqualTo("mine");
            assertThat(mine.config().qpContext()).isEqualTo("mine");
            mine.close();
            assertThat(mine.qpContext()).isEqualTo("mine");
        }
    }

    /** One CQ for many connections: each completion leads to the object of its own. */
    @Test
    void eachCompletionLeadsToItsConnection() throws Exception {
        CompletionQueue sent = f.polled();
        CompletionQueue received = f.own(f.context.createDirectCq(4 * CONNECTIONS));
        MemoryRegion memory = f.mr(64);
        List<QueuePair> to = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            QueuePair from = qp(f.pd, sent, null);
            to.add(qp(f.pd, received, i));
            connect(from, to.getLast());
            send(from, to.getLast(), memory);
        }
        Set<Object> found = new HashSet<>();
        WorkCompletions batch = WorkCompletions.allocate(7);
        while (found.size() < CONNECTIONS) {
            assertThat(received.await(batch, 1, Fixture.PATIENCE)).isPositive();
            for (int i = 0; i < batch.size(); i++) {
                QueuePair qp = batch.qp(i);
                assertThat(qp).isNotNull();
                assertThat(qp.qpNum()).isEqualTo(batch.qpNum(i));
                assertThat(qp).isSameAs(to.get((int) qp.qpContext()));
                assertThat(found.add(qp.qpContext())).isTrue();
            }
        }
        assertThatThrownBy(() -> batch.qp(batch.size()))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> WorkCompletions.allocate(1).qp(0))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    /** Queue pairs that come and go are found as long as they are open. */
    @Test
    void aClosedQueuePairIsNotFound() throws Exception {
        CompletionQueue cq = f.polled();
        MemoryRegion memory = f.mr(64);
        WorkCompletions batch = WorkCompletions.allocate(4);
        for (int i = 0; i < 3 * CONNECTIONS; i++) {
            QueuePair a = f.pd.createQp(QpConfig.of(QpType.RC, cq).withQpContext(i));
            QueuePair b = f.pd.createQp(QpConfig.of(QpType.RC, cq).withQpContext(-i));
            connect(a, b);
            send(a, b, memory);
            int missing = 2;
            while (missing > 0) {
                missing -= cq.poll(batch);
            }
            QueuePair last = batch.qp(batch.size() - 1);
            assertThat(last).isIn(a, b);
            a.close();
            b.close();
            assertThat(batch.qp(batch.size() - 1)).isNull();
        }
    }

    /** In a group, too, each completion is looked for in the context of its own CQ. */
    @Test
    void contextsOfAGroupAreApart() throws Exception {
        Context other = f.own(f.context.device().open());
        ProtectionDomain otherPd = f.own(other.allocPd());
        CompletionQueue here = f.direct();
        CompletionQueue there = f.own(other.createDirectCq(64));
        MemoryRegion memory = f.mr(64);
        MemoryRegion otherMemory = f.own(otherPd.allocateMr(64, Fixture.anything()));
        QueuePair a = qp(f.pd, here, "here");
        QueuePair b = qp(otherPd, there, "there");
        a.connect(a.endpoint());
        b.connect(b.endpoint());
        try (CqGroup group = CqGroup.create()) {
            group.add(here);
            group.add(there);
            send(a, a, memory);
            send(b, b, otherMemory);
            GroupCompletions batch = GroupCompletions.allocate(8);
            assertThat(group.await(batch, 4, Fixture.PATIENCE)).isEqualTo(4);
            for (int i = 0; i < 4; i++) {
                QueuePair expected = batch.cq(i) == here ? a : b;
                assertThat(batch.completions().qp(i)).isSameAs(expected);
            }
        }
    }
}
