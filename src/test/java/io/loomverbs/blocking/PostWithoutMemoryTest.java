package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Verbs;
import io.loomverbs.fault.SecondCopy;
import io.loomverbs.support.Fixture;
import io.loomverbs.testkit.Distribution;
import io.loomverbs.testkit.Faults;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.classfile.ClassTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A thread that posts, or closes, meets a lack of memory. */
@Timeout(60)
@SuppressWarnings("try") // joins threads, which may be interrupted
class PostWithoutMemoryTest {
    private static final int THREADS = 20;
    private static final int WRITES = 50;
    private static final Set<String> CHANGED =
            Set.of(
                    "io.loomverbs.blocking.Pace",
                    "io.loomverbs.blocking.Requests",
                    "io.loomverbs.blocking.SendSide");

    /** What happens before some calls of these classes; known to both copies. */
    public static final class Before {
        static final Set<String> CALLS = Set.of("yield", "commitOwn", "start");
        static final Map<String, Runnable> PLANTED = new ConcurrentHashMap<>();

        private Before() {}

        /** Also called by the copy, which is another package at run time. */
        public static void plant(String name, Runnable planted) {
            PLANTED.put(name, planted);
        }

        /** Called by the copy. */
        public static void call(String name) {
            PLANTED.getOrDefault(name, () -> {}).run();
        }

        /** There is no memory for that call. Counts how often it was tried. */
        static AtomicInteger fails(String name) {
            AtomicInteger tried = new AtomicInteger();
            plant(
                    name,
                    () -> {
                        tried.incrementAndGet();
                        throw new OutOfMemoryError("planted: " + name);
                    });
            return tried;
        }
    }

    /** The library once more, in which a thread that posts meets what is planted. */
    private static final class Copy extends SecondCopy {
        Copy() {
            super(Optional.empty(), Set.of(Before.class.getName()));
        }

        @Override
        protected byte[] change(String name, byte[] bytes) {
            if (!CHANGED.contains(name)) {
                return bytes;
            }
            ClassDesc before = ClassDesc.of(Before.class.getName());
            MethodTypeDesc type = MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String);
            return classFile.transformClass(
                    classFile.parse(bytes),
                    ClassTransform.transformingMethodBodies(
                            (code, element) -> {
                                if (element instanceof InvokeInstruction call
                                        && Before.CALLS.contains(call.name().stringValue())
                                        && !call.owner().asInternalName().endsWith("ReceiveSide")) {
                                    code.loadConstant(call.name().stringValue());
                                    code.invokestatic(before, "call", type);
                                }
                                code.with(element);
                            }));
        }
    }

    private static <T> T callInCopy(Class<? extends Callable<T>> type) throws Exception {
        @SuppressWarnings("unchecked") // the same class, of the copy
        Callable<T> copy =
                (Callable<T>) new Copy().loadClass(type.getName()).getConstructor().newInstance();
        return copy.call();
    }

    @AfterEach
    void plantNothing() {
        Before.PLANTED.clear();
    }

    /** Threads that write, some of which are woken together. Loaded by the copy. */
    public static final class Writers implements Callable<Integer> {
        @Override
        public Integer call() throws Exception {
            try (Context context = Verbs.device("soft0").open();
                    ProtectionDomain pd = context.allocPd();
                    CompletionQueue cq = context.createDirectCq(THREADS);
                    MemoryRegion memory = pd.allocateMr(16, Fixture.anything());
                    QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(THREADS, 1))) {
                Faults.of(context).delay(Distribution.fixed(Duration.ofNanos(20_000)));
                qp.init(Fixture.anything());
                qp.connect(qp.endpoint());
                try (Requests requests = Requests.over(qp)) {
                    RemoteRegion to = RemoteRegion.of(memory).slice(8, 8);
                    return write(requests, Buffer.of(memory, 0, 8), to);
                }
            }
        }

        private static int write(Requests requests, Buffer from, RemoteRegion to) throws Exception {
            List<FutureTask<Integer>> tasks = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                FutureTask<Integer> task =
                        new FutureTask<>(
                                () -> {
                                    for (int i = 0; i < WRITES; i++) {
                                        requests.write(from, to);
                                    }
                                    return WRITES;
                                });
                Thread.ofVirtual().start(task);
                tasks.add(task);
            }
            int written = 0;
            for (FutureTask<Integer> task : tasks) {
                written += task.get(Fixture.PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
            return written;
        }
    }

    @Test
    void thePosterGoesOn() throws Exception {
        AtomicInteger tried = Before.fails("yield");
        assertThat(callInCopy(Writers.class)).isEqualTo(THREADS * WRITES);
        assertThat(tried).as("has yielded").hasPositiveValue();
    }

    /**
     * A thread has begun to post its own request when another one closes; then it neither posts nor
     * hands on. Loaded by the copy.
     */
    public static final class LeftRequest implements Callable<Integer> {
        @Override
        public Integer call() throws Exception {
            CountDownLatch posting = new CountDownLatch(1);
            CountDownLatch closing = new CountDownLatch(1);
            try (Fixture f = new Fixture()) {
                MemoryRegion memory = f.mr(16);
                BufferPool pool = f.own(BufferPool.of(f.pd, 8, 1));
                QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, f.direct())));
                qp.init(Fixture.anything());
                qp.connect(qp.endpoint());
                Requests requests = f.own(Requests.over(qp));
                Before.plant(
                        "commitOwn",
                        () -> {
                            posting.countDown();
                            awaitLatch(closing);
                            throw new OutOfMemoryError("planted");
                        });
                Fixture.Task<Integer> poster =
                        f.start(
                                "poster",
                                () -> {
                                    try (Buffer b = pool.take()) {
                                        requests.write(b, RemoteRegion.of(memory).slice(0, 8));
                                    }
                                    return 0;
                                });
                posting.await();
                Fixture.Task<Integer> closer =
                        f.start(
                                "closer",
                                () -> {
                                    requests.close();
                                    return pool.available();
                                });
                closer.parked();
                closing.countDown();
                assertThat(poster.failure()).isInstanceOf(OutOfMemoryError.class);
                return closer.get();
            }
        }

        private static void awaitLatch(CountDownLatch latch) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** The close ends it, so that its buffer is back. */
    @Test
    void aCloseEndsARequestThatWasLeft() throws Exception {
        AtomicInteger tried = Before.fails("start");
        assertThat(callInCopy(LeftRequest.class)).as("buffers that are back").isOne();
        assertThat(tried).as("has tried to hand on").hasPositiveValue();
    }

    /** Requests that can neither start nor close, and no thread that closes them later. */
    public static final class NeitherStartsNorCloses implements Callable<Throwable> {
        @Override
        public Throwable call() throws Exception {
            FaultyDevice device = new FaultyDevice();
            Context context = Opened.open(device); // stays open: receives are posted
            ProtectionDomain pd = context.allocPd();
            BufferPool pool = BufferPool.of(pd, 8, 4);
            CompletionQueue cq = context.createDirectCq(8);
            QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(4, 4));
            qp.init();
            device.goodReceives.set(2);
            device.goodModifies.set(0);
            RequestsConfig config = RequestsConfig.of().withReceives(4, pool);
            return catchThrowable(() -> Requests.over(qp, config));
        }
    }

    /** What is thrown is why they did not start. */
    @Test
    void whatCouldNotBeEndedIsSuppressed() throws Exception {
        AtomicInteger tried = Before.fails("start");
        Throwable thrown = callInCopy(NeitherStartsNorCloses.class);
        assertThat(thrown).hasMessageContaining("ibv_post_recv");
        assertThat(thrown.getSuppressed())
                .extracting(Throwable::getMessage)
                .satisfiesExactly(
                        refused -> assertThat(refused).contains("ibv_modify_qp"),
                        noThread -> assertThat(noThread).isEqualTo("planted: start"));
        assertThat(tried).hasValue(1);
    }
}
