package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.MemoryRegion;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A request of a shared receive queue that cannot take the message which it is for. */
class DeviceSrqErrorsTest extends DeviceContract {
    private static final int MESSAGE = 32;

    private final SharedReceiveQueue srq = f.own(f.pd.createSrq(new SrqAttributes(4, 1, 0)));
    private final MemoryRegion memory = f.mr(256);

    private Pair onSrq(QpType type) {
        return f.new Pair(type, sending(type), QpConfig.of(type, receives).withSrq(srq));
    }

    private RecvWorkRequest receive(long wrId) {
        return RecvWorkRequest.allocate(1).wrId(wrId);
    }

    @ParameterizedTest
    @EnumSource
    void oneThatIsTooShort(QpType type) {
        srq.postRecv(receive(1).sge(memory, 0, MESSAGE - 1 + headerOf(type)));
        failsTheFirst(type, Differences.messageTooLong(), Differences.receiveTooShort());
    }

    @ParameterizedTest
    @EnumSource
    void oneOfAnUnknownKey(QpType type) {
        srq.postRecv(receive(1).sge(memory.address(), 256, ~memory.lkey()));
        failsTheFirst(type, WcStatus.REM_OP_ERR, Differences.unknownLocalKey());
    }

    /**
     * It is used up, and its queue pair fails. Other queue pairs go on with the next request: a
     * request that stayed would stop them all.
     *
     * @param answer what a reliable sender is told; others are told nothing
     */
    private void failsTheFirst(QpType type, WcStatus answer, WcStatus status) {
        srq.postRecv(receive(2).sge(memory, 0, 256));
        Pair first = onSrq(type);
        Pair second = onSrq(type);
        first.a.postSend(first.send(10, MESSAGE));
        assertThat(Fixture.pollOne(sends).status())
                .isEqualTo(type == QpType.RC ? answer : WcStatus.SUCCESS);
        WorkCompletion failed = Fixture.pollOne(receives);
        assertThat(failed.wrId()).isEqualTo(1);
        assertThat(failed.qpNum()).isEqualTo(first.b.qpNum());
        assertThat(failed.status()).isEqualTo(status);
        second.a.postSend(second.send(11, MESSAGE));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        WorkCompletion good = Fixture.pollOne(receives);
        assertThat(good.status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(good.wrId()).isEqualTo(2);
        assertThat(good.qpNum()).isEqualTo(second.b.qpNum());
        assertThat(first.b.query().state()).isEqualTo(QpState.ERR);
        assertThat(second.b.query().state()).isEqualTo(QpState.RTS);
        quiet();
    }
}
