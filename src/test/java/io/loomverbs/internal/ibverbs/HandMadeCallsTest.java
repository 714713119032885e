package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.DeviceAttrEx;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.device.QpAttr;

import org.junit.jupiter.api.Test;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;

/** From which thread libibverbs is called, and when not any more; on objects made by hand. */
class HandMadeCallsTest extends HandMadeContext {
    private static <T> FutureTask<T> onVirtual(Callable<T> body) {
        return start(Thread.ofVirtual().name("caller"), body);
    }

    /** The kernel resolves the address of RoCE, and waits for the network meanwhile. */
    @Test
    void anAddressIsNotSetOnACarrier() throws Exception {
        IbvQp qp = device.queuePair(context);
        QpAttr attr = new QpAttr();
        assertThat(result(onVirtual(() -> qp.modify(attr, Ibv.QP_STATE)))).isZero();
        assertThat(result(onVirtual(() -> qp.modify(attr, Ibv.QP_STATE | Ibv.QP_AV)))).isZero();
        assertThat(callers).hasSize(2);
        assertThat(callers.get(0).isVirtual()).isTrue();
        assertThat(callers.get(1).isVirtual()).isFalse();
    }

    /** Unpinning takes as long as pinning. */
    @Test
    void muchMemoryIsNotUnpinnedOnACarrier() throws Exception {
        IbvMr small = device.memoryRegion(context, 4096);
        IbvMr large = device.memoryRegion(context, 1 << 20);
        assertThat(result(onVirtual(small::dereg))).isZero();
        assertThat(result(onVirtual(large::dereg))).isZero();
        assertThat(callers).hasSize(2);
        assertThat(callers.get(0).isVirtual()).isTrue();
        assertThat(callers.get(1).isVirtual()).isFalse();
    }

    /** A query of a port or a GID is inside libibverbs, in the context's memory. */
    @Test
    void theDeviceIsClosedBetweenQueriesOnly() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        holdFirstCall(inside, goOn);
        FutureTask<PortAttr> query = onPlatform(() -> context.queryPort(1));
        await(inside);
        FutureTask<String> close =
                onPlatform(
                        () -> {
                            context.close();
                            return "closed";
                        });
        Thread.sleep(50);
        assertThat(close.isDone()).isFalse();
        assertThat(callers).hasSize(1);
        goOn.countDown();
        result(query);
        result(close);
        int calls = callers.size();
        assertThatThrownBy(() -> context.queryPort(1)).isInstanceOf(DeviceException.class);
        assertThatThrownBy(() -> context.queryGid(1, 0)).isInstanceOf(DeviceException.class);
        assertThat(callers).hasSize(calls);
    }

    /** As {@code ibv_query_device_ex} has it: a driver may lack what libibverbs has. */
    @Test
    void aDriverWithoutExtendedAttributesSaysNothing() {
        IbvContext extended = device.extendedContext();
        for (int errno : new int[] {Errno.EOPNOTSUPP, Errno.ENOSYS}) {
            device.driverResult = errno;
            assertThat(extended.queryDeviceEx()).isSameAs(DeviceAttrEx.NONE);
        }
        device.driverResult = Errno.EIO;
        assertThatThrownBy(extended::queryDeviceEx).isInstanceOf(DeviceException.class);
        assertThat(callers).hasSize(3);
    }
}
