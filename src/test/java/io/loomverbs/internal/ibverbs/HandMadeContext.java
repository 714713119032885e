package io.loomverbs.internal.ibverbs;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** What tests have in common that watch the calls of a driver made by hand. */
@Timeout(60)
abstract class HandMadeContext {
    /** The thread of each call of the driver. */
    final List<Thread> callers = new CopyOnWriteArrayList<>();

    HandMadeDevice device;
    IbvContext context;

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

    /** The first call of the driver tells that it is inside, and waits until it may go on. */
    final void holdFirstCall(CountDownLatch inside, CountDownLatch goOn) {
        device.onDriverCall =
                argument -> {
                    callers.add(Thread.currentThread());
                    if (callers.size() == 1) {
                        inside.countDown();
                        await(goOn);
                    }
                };
    }

    static <T> FutureTask<T> start(Thread.Builder builder, Callable<T> body) {
        FutureTask<T> task = new FutureTask<>(body);
        builder.start(task);
        return task;
    }

    static <T> FutureTask<T> onPlatform(Callable<T> body) {
        return start(Thread.ofPlatform().daemon(), body);
    }

    static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(20, TimeUnit.SECONDS);
    }

    static void await(CountDownLatch latch) {
        try {
            if (!latch.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("the latch stays closed");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
