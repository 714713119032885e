package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.support.Fixture;
import io.loomverbs.testkit.Distribution;
import io.loomverbs.testkit.Faults;
import io.loomverbs.testkit.junit.FailOnLeaks;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Blocking requests over a network that is slow, and over what breaks under them. */
@Timeout(60)
@ExtendWith(FailOnLeaks.class)
@ParameterizedClass
@ValueSource(strings = {"soft0", "strict0"})
class FaultyRequestsTest {
    private static final int THREADS = 20;
    private static final int SENDS = 50;
    private static final int DEPTH = 16;
    private static final Duration LONG = Duration.ofHours(1);

    private final String device;

    FaultyRequestsTest(String device) {
        this.device = device;
    }

    /** One of two machines, with blocking requests. */
    private static final class End implements AutoCloseable {
        private final Context context;
        private final ProtectionDomain pd;
        private final CompletionQueue cq;
        private final BufferPool pool;
        private final MemoryRegion memory;
        private final QueuePair qp;
        private final Requests requests;

        End(String device) {
            context = Verbs.device(device).open();
            pd = context.allocPd();
            cq = context.createDirectCq(2 * DEPTH);
            pool = BufferPool.of(pd, 64, DEPTH);
            memory = pd.allocateMr(64, Fixture.anything());
            qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, DEPTH));
            qp.init(Fixture.anything());
            requests = Requests.over(qp, RequestsConfig.of().withReceives(DEPTH, pool));
        }

        Buffer buffer() {
            return Buffer.of(memory);
        }

        @Override
        public void close() {
            requests.close();
            qp.close();
            memory.close();
            pool.close();
            cq.close();
            pd.close();
            context.close();
        }
    }

    /** Two machines; the left one has the faults. */
    private static final class Ends implements AutoCloseable {
        private final End left;
        private final End right;
        private final Faults faults;
        private final List<Thread> threads = new ArrayList<>();
        private final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());

        Ends(String device) {
            this(device, 7);
        }

        Ends(String device, int rnrRetry) {
            left = new End(device);
            right = new End(device);
            faults = Faults.of(left.context);
            QpAttributes impatient =
                    QpAttributes.builder()
                            .access(Fixture.anything())
                            .timeout(8)
                            .retryCnt(3)
                            .rnrRetry(rnrRetry)
                            .minRnrTimer(1)
                            .build();
            left.qp.connect(right.qp.endpoint(), impatient);
            right.qp.connect(left.qp.endpoint(), impatient);
        }

        interface Body {
            void run() throws Exception;
        }

        Thread start(Body body) {
            Thread thread =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            body.run();
                                        } catch (Exception | Error e) {
                                            failures.add(e);
                                        }
                                    });
            threads.add(thread);
            return thread;
        }

        /** Threads that send until that fails, and one that receives until that does. */
        void load() {
            for (int i = 0; i < THREADS; i++) {
                start(
                        () -> {
                            while (true) {
                                left.requests.send(left.buffer());
                            }
                        });
            }
            start(
                    () -> {
                        while (true) {
                            left.requests.receive().close();
                        }
                    });
            start(
                    () -> {
                        while (true) {
                            right.requests.receive().close();
                        }
                    });
        }

        void write(int count) throws InterruptedException {
            for (int i = 0; i < count; i++) {
                left.requests.write(left.buffer(), RemoteRegion.of(right.memory));
            }
        }

        List<Throwable> join(int leftRunning) throws InterruptedException {
            long running = threads.size();
            long end = System.nanoTime() + Fixture.PATIENCE.toNanos();
            for (Thread thread : threads.subList(0, threads.size() - leftRunning)) {
                assertThat(thread.join(Duration.ofNanos(end - System.nanoTime())))
                        .as("%s of %d threads", thread, running)
                        .isTrue();
            }
            return failures;
        }

        @Override
        public void close() {
            left.close();
            right.close();
            for (Thread thread : threads) {
                try {
                    assertThat(thread.join(Fixture.PATIENCE)).isTrue();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    /** Each waiter and later caller has the status of the request that broke the queue pair. */
    private static void allFailedWith(Ends ends, WcStatus status) throws InterruptedException {
        List<Throwable> failures = ends.join(1);
        assertThat(failures).hasSize(THREADS + 1);
        for (Throwable failure : failures) {
            assertThat(failure).isInstanceOf(RequestFailedException.class);
            assertThat(((RequestFailedException) failure).status()).isEqualTo(status);
        }
        assertThatThrownBy(() -> ends.left.requests.send(ends.left.buffer()))
                .isInstanceOf(RequestFailedException.class)
                .hasMessageContaining(status.name());
    }

    /** Completions that come 20 us after the post wake the threads that wait for them. */
    @Test
    void completionsComeLater() throws Exception {
        try (Ends ends = new Ends(device)) {
            ends.faults.delay(Distribution.fixed(Duration.ofNanos(20_000)));
            for (int i = 0; i < THREADS; i++) {
                ends.start(() -> ends.write(SENDS));
            }
            assertThat(ends.join(0)).isEmpty();
        }
    }

    /** The same, some later than others, with losses that are repeated. */
    @Test
    void theNetworkIsBad() throws Exception {
        try (Ends ends = new Ends(device)) {
            ends.faults
                    .seed(1)
                    .delay(Distribution.exponential(Duration.ofNanos(50_000)).sometimes(0.5))
                    .drop(0.01)
                    .rnr(0);
            for (int i = 0; i < THREADS; i++) {
                ends.start(() -> ends.write(SENDS));
            }
            assertThat(ends.join(0)).as("%s", ends.faults).isEmpty();
        }
    }

    @Test
    void theNthFails() throws Exception {
        try (Ends ends = new Ends(device)) {
            ends.faults.failSend(100, WcStatus.REM_ABORT_ERR);
            ends.load();
            allFailedWith(ends, WcStatus.REM_ABORT_ERR);
        }
    }

    @Test
    void theReceiverIsNotReady() throws Exception {
        try (Ends ends = new Ends(device, 1)) {
            ends.faults.rnr(1);
            ends.load();
            allFailedWith(ends, WcStatus.RNR_RETRY_EXC_ERR);
        }
    }

    @Test
    void thePortGoesDown() throws Exception {
        try (Ends ends = new Ends(device)) {
            ends.load();
            ends.faults.portDown();
            allFailedWith(ends, WcStatus.RETRY_EXC_ERR);
        }
    }

    @Test
    void theQueuePairIsKilled() throws Exception {
        try (Ends ends = new Ends(device)) {
            ends.faults.delay(Distribution.fixed(LONG));
            ends.load();
            Fixture.eventually(
                    "all wait",
                    () ->
                            ends.threads.stream()
                                    .allMatch(
                                            t ->
                                                    t.getState() == Thread.State.WAITING
                                                            || t.getState()
                                                                    == Thread.State.TIMED_WAITING));
            ends.faults.kill(ends.left.qp, WcStatus.RESP_TIMEOUT_ERR);
            allFailedWith(ends, WcStatus.RESP_TIMEOUT_ERR);
        }
    }

    /** Every waiter ends with the cause that the CQ gives, and so do later callers. */
    @Test
    void theDeviceIsLost() throws Exception {
        try (Ends ends = new Ends(device)) {
            ends.faults.delay(Distribution.fixed(LONG));
            ends.load();
            ends.faults.loseDevice();
            List<Throwable> failures = ends.join(1);
            assertThat(failures).hasSize(THREADS + 1);
            for (Throwable failure : failures) {
                assertThat(failure)
                        .isInstanceOf(RequestFailedException.class)
                        .hasMessageContaining("EIO")
                        .hasCauseInstanceOf(VerbsException.class);
            }
            assertThatThrownBy(() -> ends.left.requests.send(ends.left.buffer()))
                    .isInstanceOf(RequestFailedException.class)
                    .hasMessageContaining("EIO");
        }
    }
}
