package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.soft.SoftFixture.Cq;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** How much of everything there is, and in which order it can be given back. */
class LimitsTest {
    private final SoftFixture fixture =
            new SoftFixture(new SoftLimits(2, 8, 4, 64, 3, 16, 2, 2, 2, 2, 4));
    private final MemorySegment memory = Arena.ofAuto().allocate(64);

    private static int errno(ThrowingCallable call) {
        DeviceException e = catchThrowableOfType(DeviceException.class, call);
        assertThat(e).as("an exception of the device").isNotNull();
        return e.errno();
    }

    private QpOps qp(Cq cq, QpCap cap) {
        return fixture.pd.createQp(
                new QpInit(Ibv.QPT_RC, cap, false), cq.ops, cq.ops, null, t -> {});
    }

    @Test
    void everyKindRunsOutAndComesBack() {
        PdOps pd = fixture.context.allocPd();
        assertThat(errno(fixture.context::allocPd)).isEqualTo(Errno.ENOMEM);
        assertThat(pd.dealloc()).isZero();
        assertThat(fixture.context.allocPd().dealloc()).isZero();

        MrOps mr = fixture.pd.regMr(memory, 0);
        fixture.pd.regMr(memory, 0);
        assertThat(errno(() -> fixture.pd.regMr(memory, 0))).isEqualTo(Errno.ENOMEM);
        assertThat(mr.dereg()).isZero();
        fixture.pd.regMr(memory, 0);

        AhOps ah = fixture.pd.createAh(SoftFixture.defaults().av);
        fixture.pd.createAh(SoftFixture.defaults().av);
        assertThat(errno(() -> fixture.pd.createAh(SoftFixture.defaults().av)))
                .isEqualTo(Errno.ENOMEM);
        assertThat(ah.destroy()).isZero();
        fixture.pd.createAh(SoftFixture.defaults().av);

        Cq cq = fixture.cq(1);
        Cq second = fixture.cq(1);
        fixture.cq(1);
        assertThat(errno(() -> fixture.cq(1))).isEqualTo(Errno.ENOMEM);
        assertThat(second.ops.destroy()).isZero();
        fixture.cq(1);

        QpOps qp = qp(cq, new QpCap(1, 1, 1, 1, 0));
        qp(cq, new QpCap(1, 1, 1, 1, 0));
        assertThat(errno(() -> qp(cq, new QpCap(1, 1, 1, 1, 0)))).isEqualTo(Errno.ENOMEM);
        assertThat(qp.destroy()).isZero();
        qp(cq, new QpCap(1, 1, 1, 1, 0));
    }

    @Test
    void aDomainInUseIsBusy() {
        PdOps pd = fixture.context.allocPd();
        MrOps mr = pd.regMr(memory, 0);
        assertThat(pd.dealloc()).isEqualTo(-Errno.EBUSY);
        assertThat(mr.dereg()).isZero();
        assertThat(mr.dereg()).isEqualTo(-Errno.EINVAL);
        AhOps ah = pd.createAh(SoftFixture.defaults().av);
        assertThat(pd.dealloc()).isEqualTo(-Errno.EBUSY);
        assertThat(ah.destroy()).isZero();
        assertThat(ah.destroy()).isEqualTo(-Errno.EINVAL);
        Cq cq = fixture.cq(1);
        QpInit init = new QpInit(Ibv.QPT_UD, new QpCap(1, 1, 1, 1, 0), false);
        QpOps qp = pd.createQp(init, cq.ops, cq.ops, null, t -> {});
        assertThat(pd.dealloc()).isEqualTo(-Errno.EBUSY);
        assertThat(qp.destroy()).isZero();
        assertThat(pd.dealloc()).isZero();
        assertThat(pd.dealloc()).isEqualTo(-Errno.EINVAL);
        assertThat(errno(() -> pd.regMr(memory, 0))).isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> pd.createAh(SoftFixture.defaults().av))).isEqualTo(Errno.EINVAL);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "-1, 0", "17, 0", "1, -1", "1, 4"})
    void badCqsAreRefused(int cqe, int vector) {
        assertThat(errno(() -> fixture.context.createCq(cqe, null, vector, new Cq())))
                .isEqualTo(Errno.EINVAL);
    }

    @Test
    void aChannelOfAnotherContextIsRefused() {
        var other = fixture.device.open((type, port) -> {}).createCompChannel();

        assertThat(errno(() -> fixture.context.createCq(1, other, 0, new Cq())))
                .isEqualTo(Errno.EINVAL);
    }

    @ParameterizedTest
    @CsvSource({
        "9, 1, 1, 1, 0",
        "1, 9, 1, 1, 0",
        "1, 1, 5, 1, 0",
        "1, 1, 1, 5, 0",
        "1, 1, 1, 1, 65",
        "-1, 1, 1, 1, 0"
    })
    void badCapacitiesAreRefused(int sendWr, int recvWr, int sendSge, int recvSge, int inline) {
        Cq cq = fixture.cq(1);
        QpCap cap = new QpCap(sendWr, recvWr, sendSge, recvSge, inline);

        assertThat(errno(() -> qp(cq, cap))).isEqualTo(Errno.EINVAL);
        assertThat(cq.ops.destroy()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            ints = {Ibv.ACCESS_REMOTE_WRITE, Ibv.ACCESS_REMOTE_ATOMIC, 1 << 5, 1 << 8, 1 << 30})
    void badAccessIsRefused(int access) {
        assertThat(errno(() -> fixture.pd.regMr(memory, access))).isEqualTo(Errno.EINVAL);
    }

    @Test
    void memoryThatTheEngineCouldNotUseIsRefused() {
        assertThat(errno(() -> fixture.pd.regMr(MemorySegment.ofArray(new byte[8]), 0)))
                .isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> fixture.pd.regMr(memory.asSlice(0, 0), 0))).isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> fixture.pd.regMr(memory.asReadOnly(), Ibv.ACCESS_LOCAL_WRITE)))
                .isEqualTo(Errno.EACCES);
        try (Arena confined = Arena.ofConfined()) {
            MemorySegment mine = confined.allocate(8);
            assertThat(errno(() -> fixture.pd.regMr(mine, 0))).isEqualTo(Errno.EINVAL);
        }
    }

    /** Of 24 bits, and none of them that of multicast: that of the last, when it comes again. */
    @Test
    void everyQueuePairGetsANumber() {
        int generationBits = 5;
        IdTable<Numbered> table = new IdTable<>(SoftLimits.GENEROUS.maxQp(), generationBits);
        Numbered last = null;
        for (Numbered next = table.add(Numbered::new);
                next != null;
                next = table.add(Numbered::new)) {
            last = next;
        }
        assertThat(last).isNotNull();
        int highest = last.id() | (1 << generationBits) - 1;
        assertThat(highest).isLessThan(0xff_ffff);
    }

    private record Numbered(int id) implements IdTable.Entry {}

    @Test
    void theDeviceSaysWhatItGrants() {
        DeviceAttr attr = new SoftFixture().context.queryDevice();

        assertThat(attr.maxCq()).isGreaterThanOrEqualTo(200_000);
        assertThat(attr.maxQp()).isGreaterThanOrEqualTo(500_000);
        assertThat(attr.maxCqe()).isGreaterThanOrEqualTo(1 << 22);
        assertThat(attr.numCompVectors()).isGreaterThanOrEqualTo(4);
        assertThat(fixture.context.queryDevice().maxQp()).isEqualTo(2);
        assertThat(fixture.context.queryGid(1, 0)).hasSize(16).startsWith(0xfe, 0x80);
        assertThat(fixture.context.queryPort(1).activeMtu()).isEqualTo(SoftPort.MTU);
    }
}
