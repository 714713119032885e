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
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.LostRegionException;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.StubContext;
import io.loomverbs.internal.soft.FreshDevice;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.lang.foreign.MemorySegment;

/** Regions that a device could not change. */
@SuppressWarnings("try") // explicit closes are what is tried
class LostRegionTest {
    private static final MrChanges CHANGES = MrChanges.of();

    /** Fails to change regions, as it is told. */
    private static final class Failing implements DeviceOps {
        private DeviceException failure = new LostRegionException(Errno.EIO, "planted");

        @Override
        public String name() {
            return "failing";
        }

        @Override
        public long guid() {
            return 1;
        }

        @Override
        public ContextOps open(PortListener events) {
            return new StubContext(FreshDevice.create().open(events).queryDevice()) {
                @Override
                public PdOps allocPd() {
                    return new Pd();
                }

                @Override
                public void close() {}
            };
        }

        private final class Pd implements PdOps {
            @Override
            public MrOps regMr(MemorySegment memory, int access) {
                return new Mr();
            }

            @Override
            public int dealloc() {
                return 0;
            }
        }

        private final class Mr implements MrOps {
            @Override
            public int lkey() {
                return 7;
            }

            @Override
            public int rkey() {
                return 7;
            }

            @Override
            public MrOps rereg(
                    int flags, @Nullable PdOps pd, @Nullable MemorySegment memory, int access) {
                throw failure;
            }

            @Override
            public int dereg() {
                return 0;
            }
        }
    }

    /** It keeps what the device may still use, old and new, until it is closed. */
    @Test
    void aLostRegionCanOnlyBeClosed() {
        long before = Verbs.allocatedMemory();
        try (Context context = Opened.open(new Failing());
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
        Failing device = new Failing();
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
