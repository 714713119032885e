package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Access;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MrAdvice;
import io.loomverbs.MrChanges;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;

import org.junit.jupiter.api.Test;

/** Regions that a device could not change. */
@SuppressWarnings("try") // explicit closes are what is tried
class LostRegionTest {
    private static final MrChanges CHANGES = MrChanges.of();

    /** It keeps what the device may still use, old and new, until it is closed. */
    @Test
    void aLostRegionCanOnlyBeClosed() {
        long before = Verbs.allocatedMemory();
        try (Context context = Opened.open(new FailingRegions());
                ProtectionDomain pd = context.allocPd()) {
            ProtectionDomain other = context.allocPd();
            MemoryRegion mr = pd.allocateMr(4096, Access.LOCAL_WRITE);
            MemoryRegion target = pd.allocateMr(8192, Access.LOCAL_WRITE);
            MrChanges changes = CHANGES.withMemory(target.memory()).withPd(other);
            assertThatThrownBy(() -> mr.rereg(changes))
                    .isInstanceOf(VerbsException.class)
                    .hasMessage("ibv_rereg_mr: EIO: planted");
            assertThat(mr.isUsable()).isFalse();
            assertThat(mr.pd()).isSameAs(pd);
            other.close();
            target.close();
            assertThat(Verbs.allocatedMemory()).isEqualTo(before + 4096 + 8192);
            assertThatThrownBy(() -> RecvWorkRequest.allocate(1).sge(mr)).satisfies(this::isLost);
            assertThatThrownBy(() -> mr.rereg(CHANGES.withAccess())).satisfies(this::isLost);
            assertThatThrownBy(() -> mr.advise(MrAdvice.PREFETCH, 0, 1, true))
                    .satisfies(this::isLost);
            mr.close();
            assertThat(mr.isUsable()).isFalse();
            assertThat(Verbs.allocatedMemory()).isEqualTo(before);
        }
    }

    private void isLost(Throwable e) {
        assertThat(e)
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is not usable")
                .hasMessageContaining("/mr[");
    }

    /** Any other failure changes nothing: memory, domain and access are those before. */
    @Test
    void aRefusalChangesNothing() {
        long before = Verbs.allocatedMemory();
        FailingRegions device = new FailingRegions();
        device.failure = new DeviceException(Errno.ENOMEM, "planted");
        try (Context context = Opened.open(device);
                ProtectionDomain pd = context.allocPd();
                MemoryRegion mr = pd.allocateMr(4096, Access.LOCAL_WRITE)) {
            ProtectionDomain other = context.allocPd();
            MemoryRegion target = pd.allocateMr(8192);
            assertThatThrownBy(
                            () ->
                                    mr.rereg(
                                            CHANGES.withMemory(target.memory())
                                                    .withPd(other)
                                                    .withAccess()))
                    .hasMessage("ibv_rereg_mr: ENOMEM: planted");
            other.close();
            target.close();
            assertThat(Verbs.allocatedMemory()).isEqualTo(before + 4096);
            assertThat(mr.isUsable()).isTrue();
            assertThat(mr.pd()).isSameAs(pd);
            assertThat(mr.length()).isEqualTo(4096);
            assertThat(mr.access()).containsExactly(Access.LOCAL_WRITE);
        }
        assertThat(Verbs.allocatedMemory()).isEqualTo(before);
    }
}
