package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages over connected queue pairs that go well. */
class SendRecvTest {
    private final SoftFixture fixture = new SoftFixture();

    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC})
    void aMessageArrivesWithItsCompletions(int type) {
        Peer[] p = fixture.pair(type);
        p[0].memory.set(JAVA_LONG, 0, 42);
        p[1].recv(7, 128, 64);

        p[0].send(p[0].wr(5, Ibv.WR_SEND, 16));

        assertThat(p[1].recv.poll())
                .containsExactly(
                        new Wc(7, Ibv.WC_SUCCESS, Ibv.WC_RECV, 16, 0, p[1].qp.qpNum(), 0, 0, 0));
        assertThat(p[0].send.poll())
                .containsExactly(
                        new Wc(5, Ibv.WC_SUCCESS, Ibv.WC_SEND, 16, 0, p[0].qp.qpNum(), 0, 0, 0));
        assertThat(p[1].memory.get(JAVA_LONG, 128)).isEqualTo(42);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC})
    void anImmediateTravelsWithTheMessage(int type) {
        Peer[] p = fixture.pair(type);
        p[1].recv(7, 0, 64);
        SendWr wr = p[0].wr(5, Ibv.WR_SEND_WITH_IMM, 16);
        wr.immData(0xcafe);

        p[0].send(wr);

        Wc wc = p[1].recv.one();
        assertThat(wc.imm()).isEqualTo(0xcafe);
        assertThat(wc.flags()).isEqualTo(Ibv.WC_WITH_IMM);
    }

    @Test
    void anArmedQueueTellsOfTheNextCompletionOnce() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[1].recv(1, 0, 64);
        p[1].recv(2, 0, 64);
        assertThat(p[1].recv.ops.reqNotify(false)).isZero();

        p[0].send(p[0].wr(1, Ibv.WR_SEND, 16));
        assertThat(p[1].recv.events).hasValue(1);
        p[0].send(p[0].wr(2, Ibv.WR_SEND, 16));
        assertThat(p[1].recv.events).hasValue(1);

        assertThat(p[1].recv.ops.reqNotify(false)).isZero();
        assertThat(p[1].recv.events).hasValue(1);
    }
}
