package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;
import io.loomverbs.support.Fixture.Source;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which completions fire an arm, and how many events it is good for. */
class DeviceArmingTest extends DeviceContract {
    /** An arm is good for one event, however many completions come. */
    @Test
    void anArmIsOneShot() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        cq.reqNotify(false);
        cq.reqNotify(false);
        for (int i = 0; i < 3; i++) {
            source.complete(i);
        }
        cq.getCqEvent(Fixture.PATIENCE).close();
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        assertThat(Fixture.poll(cq, 3)).hasSize(3);
        source.complete(4);
        assertThat(cq.getCqEvent(Fixture.QUIET)).as("not armed").isNull();
    }

    /** Completions that were there before the arm raise nothing; the next one does. */
    @Test
    void onlyNewCompletionsFire() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        source.complete(1);
        cq.reqNotify(false);
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        source.complete(2);
        cq.getCqEvent(Fixture.PATIENCE).close();
        Fixture.poll(cq, 2);
    }

    /** An arm for solicited completions waits for one of them. */
    @Test
    void aSolicitedArmWaitsForASolicitedMessage() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        cq.reqNotify(true);
        source.complete(1, false);
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        source.complete(2, true);
        cq.getCqEvent(Fixture.PATIENCE).close();
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        Fixture.poll(cq, 2);
    }

    /**
     * A later arm for solicited completions does not weaken one for all; the reverse strengthens.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theStrongerArmCounts(boolean solicitedFirst) throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        cq.reqNotify(solicitedFirst);
        cq.reqNotify(!solicitedFirst);
        source.complete(1, false);
        cq.getCqEvent(Fixture.PATIENCE).close();
        // The strength is spent with the event.
        cq.reqNotify(true);
        source.complete(2, false);
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        Fixture.poll(cq, 2);
    }

    /** An error counts as solicited; a successful send never does. */
    @Test
    void errorsAreSolicitedAndSendsAreNot() throws Exception {
        CompletionQueue cq = f.direct();
        Pair p =
                f.new Pair(QpType.RC, QpConfig.of(QpType.RC, cq), QpConfig.of(QpType.RC, receives));
        cq.reqNotify(true);
        p.recv(1);
        p.a.postSend(p.send(1, 8).solicited());
        Fixture.pollOne(cq);
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        p.a.postSend(p.send(2, 0).sge(p.aMemory.address(), 8, ~p.aMemory.lkey()));
        if (Differences.failedSendsAreSolicited()) {
            cq.getCqEvent(Fixture.PATIENCE).close();
        }
        assertThat(Fixture.pollOne(cq).status()).isEqualTo(Differences.unknownLocalKey());
    }

    /** An event may find the CQ empty, if the CQ was polled before the event was received. */
    @Test
    void anEventMayBeSpurious() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        cq.reqNotify(false);
        source.complete(1);
        Fixture.pollOne(cq);
        cq.getCqEvent(Fixture.PATIENCE).close();
        assertThat(cq.poll(batch)).isZero();
    }

    /** rdma-core's loop of get, arm, poll, a hundred times, on each service. */
    @ParameterizedTest
    @EnumSource
    void theEventLoopOfRdmaCore(QpType type) throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue cq = f.on(channel);
        Pair p = f.new Pair(type, QpConfig.of(type, sends), QpConfig.of(type, cq));
        cq.reqNotify(false);
        for (int i = 0; i < 100; i++) {
            p.message(i, 32);
            CqEvent event = channel.getCqEvent(Fixture.PATIENCE);
            assertThat(event).isNotNull();
            assertThat(event.cq()).isSameAs(cq);
            cq.reqNotify(false);
            assertThat(Fixture.pollOne(cq).wrId()).isEqualTo(i);
            Fixture.pollOne(sends);
        }
        // Spurious ones may have come up between an arm and its poll.
        for (CqEvent e = channel.tryGetCqEvent(); e != null; e = channel.tryGetCqEvent()) {
            assertThat(e.cq()).isSameAs(cq);
        }
        assertThat(cq.unackedEvents()).isGreaterThanOrEqualTo(100);
        cq.ackEvents(cq.unackedEvents());
    }
}
