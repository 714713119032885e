package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** From which thread libibverbs is called, and when not any more; on objects made by hand. */
@Timeout(60)
class HandMadeCallsTest {
    private final List<Thread> callers = new CopyOnWriteArrayList<>();
    private HandMadeDevice device;
    private IbvContext context;

    @BeforeEach
    void open() throws IOException {
        device = HandMadeDevice.create();
        context = device.bareContext();
        device.onDriverCall = argument -> callers.add(Thread.currentThread());
    }

    @AfterEach
    void close() {
        if (device != null) {
            device.closePipe();
        }
    }

    private static <T> FutureTask<T> onVirtual(Callable<T> body) {
        FutureTask<T> task = new FutureTask<>(body);
        Thread.ofVirtual().name("caller").start(task);
        return task;
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(20, TimeUnit.SECONDS);
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

    /** Who asks for a port or a GID is inside libibverbs, in the context's memory. */
    @Test
    void theDeviceIsClosedBetweenQueriesOnly() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        device.onDriverCall =
                argument -> {
                    callers.add(Thread.currentThread());
                    if (callers.size() == 1) {
                        inside.countDown();
                        await(goOn);
                    }
                };
        FutureTask<Object> query = onPlatform(() -> context.queryPort(1));
        assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();
        FutureTask<Object> close =
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

    private static FutureTask<Object> onPlatform(Callable<Object> body) {
        FutureTask<Object> task = new FutureTask<>(body);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody lets go");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
