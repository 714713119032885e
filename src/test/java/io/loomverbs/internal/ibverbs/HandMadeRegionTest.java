package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.LostRegionException;

import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.FutureTask;

/** Changes of regions, through the real libibverbs to a driver made by hand. */
class HandMadeRegionTest extends HandMadeContext {
    private static final int ACCESS = Ibv.REREG_MR_CHANGE_ACCESS;
    private static final int TRANSLATION = Ibv.REREG_MR_CHANGE_TRANSLATION;

    private static <T> T onVirtual(java.util.concurrent.Callable<T> body) throws Exception {
        FutureTask<T> task = start(Thread.ofVirtual().name("caller"), body);
        return result(task);
    }

    /** Pinning and unpinning take long, whichever it is. */
    @Test
    void muchMemoryIsNotPinnedOnACarrier() throws Exception {
        IbvMr mr = device.memoryRegion(context, 4096);
        MemorySegment small = Arena.ofAuto().allocate(64);
        MemorySegment large = Arena.ofAuto().allocate(IbvMr.LONG_TO_PIN);
        for (MemorySegment to : new MemorySegment[] {small, large, small}) {
            assertThat(onVirtual(() -> mr.rereg(TRANSLATION, null, to, 0))).isSameAs(mr);
        }
        assertThat(onVirtual(() -> mr.rereg(ACCESS, null, null, 0))).isSameAs(mr);
        assertThat(callers).extracting(Thread::isVirtual).containsExactly(true, false, false, true);
        assertThat(mr.dereg()).isZero();
    }

    /** The driver has failed midway, as libibverbs says; the region can be deregistered. */
    @Test
    void aFailedCommandLosesTheRegion() {
        IbvMr mr = device.memoryRegion(context, 4096);
        device.driverResult = 5;
        assertThatThrownBy(() -> mr.rereg(ACCESS, null, null, Ibv.ACCESS_LOCAL_WRITE))
                .isInstanceOf(LostRegionException.class)
                .hasMessageContaining("hand-made")
                .hasMessageContaining("only closed");
        device.driverResult = 0;
        assertThat(mr.dereg()).isZero();
    }

    /** What libibverbs itself refuses has not reached the driver. */
    @Test
    void badFlagsAreRefusedBeforehand() {
        IbvMr mr = device.memoryRegion(context, 4096);
        assertThatThrownBy(() -> mr.rereg(1 << 10, null, null, 0))
                .isNotInstanceOf(LostRegionException.class)
                .hasMessageContaining("the region is as before");
        assertThat(callers).isEmpty();
        assertThat(mr.dereg()).isZero();
    }
}
