package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MrAdvice;
import io.loomverbs.MrChanges;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpType;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Regions that change, advice on their memory, and memory of other devices. */
@SuppressWarnings("try") // explicit closes are what is tried
class DeviceRegionsTest extends DeviceContract {
    private static final MrChanges CHANGES = MrChanges.of();

    private final Pair p = pair(QpType.RC);

    /** A device that cannot do it says so by its name, and the region is as it was. */
    private boolean refuses(MemoryRegion mr, MrChanges changes) {
        if (Differences.changesRegions()) {
            return false;
        }
        String before = mr.toString();
        assertThatThrownBy(() -> mr.rereg(changes))
                .isInstanceOfSatisfying(
                        VerbsException.class,
                        e -> {
                            assertThat(e.verb()).isEqualTo("ibv_rereg_mr");
                            assertThat(e.errnoName()).isEqualTo("EOPNOTSUPP");
                        })
                .hasMessageContaining(Fixture.DEVICE)
                .hasMessageContaining("the region is as before");
        assertThat(mr).hasToString(before);
        assertThat(mr.isUsable()).isTrue();
        assertThat(received(mr)).isEqualTo(WcStatus.SUCCESS);
        return true;
    }

    /** How a message ends for its receiver whose first bytes go to the region. */
    private WcStatus received(MemoryRegion mr) {
        p.b.postRecv(RecvWorkRequest.allocate(1).wrId(9).sge(mr, 0, 8));
        p.a.postSend(p.send(1, 8));
        WcStatus status = Fixture.pollOne(receives).status();
        Fixture.pollOne(sends);
        return status;
    }

    private WcStatus written(MemoryRegion mr) {
        p.a.postSend(
                SendWorkRequest.allocate(1, 0)
                        .wrId(2)
                        .rdmaWrite(mr.address(), mr.rkey())
                        .sge(p.aMemory, 0, 8)
                        .signaled());
        return Fixture.pollOne(sends).status();
    }

    @ParameterizedTest
    @ValueSource(longs = {64, 2 << 20})
    void access(long bytes) {
        MemoryRegion mr = f.own(f.pd.allocateMr(bytes, Access.LOCAL_WRITE));
        MrChanges more = CHANGES.withAccess(Access.LOCAL_WRITE, Access.REMOTE_WRITE);
        if (refuses(mr, more)) {
            return;
        }
        mr.rereg(more);
        assertThat(mr.access()).containsExactlyInAnyOrder(Access.LOCAL_WRITE, Access.REMOTE_WRITE);
        assertThat(written(mr)).isEqualTo(WcStatus.SUCCESS);
        mr.rereg(CHANGES.withAccess(Access.LOCAL_WRITE));
        assertThat(mr.access()).containsExactly(Access.LOCAL_WRITE);
        assertThat(received(mr)).isEqualTo(WcStatus.SUCCESS);
        assertThat(written(mr)).isEqualTo(WcStatus.REM_ACCESS_ERR);
    }

    /** The old domain is free to go, and the new one is in use. */
    @Test
    void aDomain() {
        ProtectionDomain first = f.own(f.context.allocPd());
        MemoryRegion mr = f.own(first.allocateMr(64, Access.LOCAL_WRITE));
        MrChanges here = CHANGES.withPd(f.pd);
        if (!Differences.changesRegions()) {
            assertThatThrownBy(() -> mr.rereg(here)).isInstanceOf(VerbsException.class);
            assertThat(mr.pd()).isSameAs(first);
            assertThatThrownBy(first::close).hasMessageContaining("EBUSY");
            mr.close();
            first.close();
            return;
        }
        mr.rereg(here);
        assertThat(mr.pd()).isSameAs(f.pd);
        first.close();
        assertThat(received(mr)).isEqualTo(WcStatus.SUCCESS);
        ProtectionDomain last = f.own(f.context.allocPd());
        mr.rereg(CHANGES.withPd(last));
        assertThatThrownBy(last::close)
                .hasMessageContaining("EBUSY")
                .hasMessageContaining(mr.toString());
        mr.close();
        last.close();
    }

    /** All at once; memory that was allocated goes when no region names it any more. */
    @Test
    void memory() {
        long before = Verbs.allocatedMemory();
        MemoryRegion mr = f.own(f.pd.allocateMr(8192, Access.LOCAL_WRITE));
        MemorySegment own = Arena.ofAuto().allocate(64);
        MrChanges toOwn = CHANGES.withMemory(own).withPd(f.pd).withAccess(Fixture.anything());
        if (refuses(mr, toOwn)) {
            return;
        }
        mr.rereg(toOwn);
        assertThat(Verbs.allocatedMemory()).isEqualTo(before);
        assertThat(mr.memory()).isEqualTo(own);
        assertThat(List.of(mr.address(), mr.length())).containsExactly(own.address(), 64L);
        p.aMemory.memory().set(JAVA_LONG, 0, 0x0102_0304_0506_0708L);
        assertThat(received(mr)).isEqualTo(WcStatus.SUCCESS);
        assertThat(written(mr)).isEqualTo(WcStatus.SUCCESS);
        assertThat(own.get(JAVA_LONG, 0)).isEqualTo(0x0102_0304_0506_0708L);

        MemoryRegion other = f.own(f.pd.allocateMr(4096, Access.LOCAL_WRITE));
        mr.rereg(CHANGES.withMemory(other.memory()));
        other.close();
        assertThat(Verbs.allocatedMemory()).isEqualTo(before + 4096);
        assertThat(received(mr)).isEqualTo(WcStatus.SUCCESS);
        assertThat(mr.memory().get(JAVA_LONG, 0)).isEqualTo(0x0102_0304_0506_0708L);
        mr.close();
        assertThat(Verbs.allocatedMemory()).isEqualTo(before);
    }

    /** What the device refuses leaves all as it was: here it has no such domain. */
    @Test
    void aRefusal() {
        MemoryRegion mr = f.own(f.pd.allocateMr(64, Access.LOCAL_WRITE));
        if (Differences.pagesOnDemand()) {
            return;
        }
        String before = mr.toString();
        assertThatThrownBy(
                        () ->
                                mr.rereg(
                                        CHANGES.withAccess(Access.LOCAL_WRITE, Access.ON_DEMAND)
                                                .withMemory(Arena.ofAuto().allocate(16))))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("ibv_rereg_mr: EOPNOTSUPP");
        assertThat(mr).hasToString(before);
        assertThat(received(mr)).isEqualTo(WcStatus.SUCCESS);
    }

    /** Changes and a close come one after the other, whatever threads they are of. */
    @Test
    void manyThreads() throws Exception {
        for (int round = 0; round < 20; round++) {
            ProtectionDomain pd = f.context.allocPd();
            MemoryRegion mr = pd.allocateMr(64, Access.LOCAL_WRITE);
            List<Fixture.Task<Integer>> changers =
                    List.of(
                            f.start("access", () -> change(mr, CHANGES.withAccess())),
                            f.start("pd", () -> change(mr, CHANGES.withPd(f.pd))),
                            f.start("back", () -> change(mr, CHANGES.withPd(pd))));
            Thread.sleep(round % 3);
            mr.close();
            for (Fixture.Task<Integer> changer : changers) {
                assertThat(changer.get()).isBetween(0, 50);
            }
            pd.close();
        }
    }

    private static int change(MemoryRegion mr, MrChanges changes) {
        int done = 0;
        try {
            for (; done < 50; done++) {
                try {
                    mr.rereg(changes);
                } catch (VerbsException e) {
                    assertThat(e.errnoName()).isEqualTo("EOPNOTSUPP");
                    assertThat(Differences.changesRegions()).isFalse();
                }
            }
        } catch (ClosedException e) {
            // It was closed meanwhile.
        }
        return done;
    }

    @Test
    void advice() {
        if (!Differences.pagesOnDemand()) {
            MemoryRegion mr = f.mr(4 << 20);
            for (long bytes : new long[] {64, 4 << 20}) {
                assertThatThrownBy(() -> mr.advise(MrAdvice.PREFETCH, 0, bytes, true))
                        .isInstanceOf(VerbsException.class)
                        .hasMessageContaining("ibv_advise_mr: EOPNOTSUPP")
                        .hasMessageContaining(Fixture.DEVICE);
            }
            return;
        }
        MemoryRegion paged = f.own(f.pd.allocateMr(8192, Access.LOCAL_WRITE, Access.ON_DEMAND));
        for (MrAdvice advice : MrAdvice.values()) {
            paged.advise(advice, 0, 8192, true);
            paged.advise(advice, 8191, 1, false);
        }
        MemoryRegion read = f.own(f.pd.allocateMr(64, Access.ON_DEMAND));
        read.advise(MrAdvice.PREFETCH, 0, 64, true);
        assertThatThrownBy(() -> read.advise(MrAdvice.PREFETCH_WRITE, 0, 64, true))
                .hasMessageContaining("ibv_advise_mr: EPERM")
                .hasMessageContaining("LOCAL_WRITE");
        assertThatThrownBy(() -> f.mr(64).advise(MrAdvice.PREFETCH, 0, 64, true))
                .hasMessageContaining("ibv_advise_mr: EINVAL")
                .hasMessageContaining("ON_DEMAND");
    }

    /** No device here can reach the memory of another. */
    @Test
    void dmabufs() {
        assertThatThrownBy(() -> f.pd.regDmabufMr(0, 0, 4096, 0, Access.LOCAL_WRITE))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("ibv_reg_dmabuf_mr: EOPNOTSUPP")
                .hasMessageContaining("dma-bufs are not supported by " + Fixture.DEVICE);
    }
}
