package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.event.HelperThreads;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

@Timeout(60)
class OffCarrierCallsTest {
    private static final long PATIENCE = 20_000_000;
    private static final int POOL = Math.min(4, Runtime.getRuntime().availableProcessors());

    private static <T> T onVirtual(Callable<T> body) throws Exception {
        FutureTask<T> task = new FutureTask<>(body);
        Thread.ofVirtual().start(task);
        return task.get(10, TimeUnit.SECONDS);
    }

    /** A platform thread makes the call itself, a virtual one has it made. */
    @Test
    void theCallerOfAVirtualThreadIsAPlatformThread() throws Exception {
        assertThat(OffCarrierCalls.run("it", Thread::currentThread))
                .isSameAs(Thread.currentThread());
        Thread caller = onVirtual(() -> OffCarrierCalls.run("ibv_x", Thread::currentThread));
        assertThat(caller.isVirtual()).isFalse();
        assertThat(caller.isDaemon()).isTrue();
        assertThat(caller.getName()).isEqualTo("loomverbs-call");
    }

    /** Calls that take long do not keep others waiting: those get threads of their own. */
    @Test
    void longCallsDoNotDelayOthers() throws Exception {
        longCalls(20, PATIENCE);
    }

    /** A thread that a call has for itself says nothing of whether those of the pool go on. */
    @Test
    void callsThatWaitTogetherGetTheirThreadsTogether() throws Exception {
        longCalls(50, 15 * PATIENCE);
    }

    private static void longCalls(int many, long patience) throws Exception {
        OffCarrierCalls calls = new OffCarrierCalls(HelperThreads::unstarted, patience);
        CountDownLatch begun = new CountDownLatch(many);
        CountDownLatch go = new CountDownLatch(1);
        List<FutureTask<Boolean>> tasks = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            FutureTask<Boolean> task =
                    new FutureTask<>(() -> calls.make("ibv_x", () -> meet(begun, go)));
            tasks.add(task);
            Thread.ofVirtual().start(task);
        }
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        go.countDown();
        for (FutureTask<Boolean> task : tasks) {
            assertThat(task.get(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    /**
     * Short calls wait for each other, however many there are: a thread costs more than they do.
     */
    @Test
    void aQueueThatMovesGetsNoFurtherThreads() throws Exception {
        AtomicInteger threads = new AtomicInteger();
        OffCarrierCalls calls =
                new OffCarrierCalls(
                        (name, task) -> {
                            if (name.equals("loomverbs-call")) {
                                threads.incrementAndGet();
                            } else if (!name.equals("loomverbs-calls")) {
                                throw new AssertionError(name);
                            }
                            return HelperThreads.unstarted(name, task);
                        },
                        TimeUnit.MILLISECONDS.toNanos(300));
        List<FutureTask<Boolean>> tasks = new ArrayList<>();
        for (int i = 0; i < 400; i++) { // two seconds, with two threads
            FutureTask<Boolean> task =
                    new FutureTask<>(() -> calls.make("ibv_x", OffCarrierCallsTest::shortCall));
            tasks.add(task);
            Thread.ofVirtual().start(task);
        }
        for (FutureTask<Boolean> task : tasks) {
            assertThat(task.get(10, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(threads).hasValue(POOL);
    }

    private static boolean shortCall() {
        LockSupport.parkNanos(10_000_000);
        return true;
    }

    private static boolean meet(CountDownLatch begun, CountDownLatch go) {
        begun.countDown();
        try {
            return go.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    private static Thread unmade(String name, Runnable task) {
        throw new OutOfMemoryError("planted, for " + name);
    }

    /** No thread of the pool can be started. */
    @Test
    void withoutAThreadTheCallerMakesTheCall() throws Exception {
        OffCarrierCalls calls = new OffCarrierCalls(OffCarrierCallsTest::unmade, PATIENCE);
        assertThat(onVirtual(() -> calls.make("ibv_x", Thread::currentThread).isVirtual()))
                .isTrue();
    }

    /** Those of the pool are busy. */
    @Test
    void withoutAnotherThreadTheCallerMakesTheCall() throws Exception {
        OffCarrierCalls calls =
                new OffCarrierCalls(
                        (name, task) ->
                                name.startsWith("loomverbs-call")
                                        ? HelperThreads.unstarted(name, task)
                                        : unmade(name, task),
                        PATIENCE);
        int many = POOL;
        CountDownLatch begun = new CountDownLatch(many);
        CountDownLatch go = new CountDownLatch(1);
        List<FutureTask<Boolean>> tasks = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            FutureTask<Boolean> task =
                    new FutureTask<>(() -> calls.make("ibv_x", () -> meet(begun, go)));
            tasks.add(task);
            Thread.ofVirtual().start(task);
        }
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(onVirtual(() -> calls.make("ibv_x", Thread::currentThread).isVirtual()))
                .isTrue();
        go.countDown();
        for (FutureTask<Boolean> task : tasks) {
            assertThat(task.get(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** What the call throws comes out of it. */
    @Test
    void failuresComeOut() {
        assertThatThrownBy(
                        () ->
                                onVirtual(
                                        () ->
                                                OffCarrierCalls.run(
                                                        "it",
                                                        () -> {
                                                            throw new DeviceException(12, "no");
                                                        })))
                .hasCauseInstanceOf(DeviceException.class);
        assertThatThrownBy(
                        () ->
                                onVirtual(
                                        () ->
                                                OffCarrierCalls.run(
                                                        "it",
                                                        () -> {
                                                            throw new AssertionError("no");
                                                        })))
                .hasCauseInstanceOf(AssertionError.class);
    }

    /** An interrupt does not end the wait, which would lose what the call makes; it stays. */
    @Test
    void anInterruptStaysPending() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        FutureTask<Boolean> task =
                new FutureTask<>(
                        () -> {
                            String made =
                                    OffCarrierCalls.run(
                                            "it",
                                            () -> {
                                                begun.countDown();
                                                try {
                                                    return go.await(10, TimeUnit.SECONDS)
                                                            ? "made"
                                                            : "late";
                                                } catch (InterruptedException e) {
                                                    return "interrupted";
                                                }
                                            });
                            return made.equals("made") && Thread.interrupted();
                        });
        Thread caller = Thread.ofVirtual().start(task);
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        caller.interrupt();
        Thread.sleep(20);
        assertThat(task.isDone()).isFalse();
        go.countDown();
        assertThat(task.get(10, TimeUnit.SECONDS)).isTrue();
    }

    /** In each way that the JVM runs code: frames have other sizes in each. */
    @ParameterizedTest
    @ValueSource(strings = {"-XX:TieredStopAtLevel=1", "-Xint", "-XX:TieredStopAtLevel=4"})
    void aCallerWithoutStackGetsWhatWasMade(String mode) throws Exception {
        List<String> options = List.of(mode, "-Xss180k");
        assertThat(ChildJvm.run(List.of(), options, OffCarrierEndChild.class))
                .isEqualTo("0 results are lost\n");
    }
}
