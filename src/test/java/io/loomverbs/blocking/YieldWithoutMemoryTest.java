package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Verbs;
import io.loomverbs.fault.SecondCopy;
import io.loomverbs.support.Fixture;
import io.loomverbs.testkit.Distribution;
import io.loomverbs.testkit.Faults;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.classfile.ClassTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A thread that posts for others yields first, which takes memory: there may be none. */
@Timeout(60)
class YieldWithoutMemoryTest {
    private static final int THREADS = 20;
    private static final int WRITES = 50;
    private static final String SENDS = "io.loomverbs.blocking.SendSide";

    /** What {@link SendSide} calls in place of {@link Thread#yield}; known to both copies. */
    public static final class Yield {
        static final AtomicInteger FAILED = new AtomicInteger();

        private Yield() {}

        @SuppressWarnings("NamedLikeContextualKeyword") // as that of Thread
        public static void yield() {
            FAILED.incrementAndGet();
            throw new OutOfMemoryError("planted");
        }
    }

    /** The library once more, in which a thread that posts cannot yield. */
    private static final class Copy extends SecondCopy {
        Copy() {
            super(Optional.empty(), Set.of(Yield.class.getName()));
        }

        @Override
        protected byte[] change(String name, byte[] bytes) {
            if (!name.equals(SENDS)) {
                return bytes;
            }
            ClassDesc failing = ClassDesc.of(Yield.class.getName());
            return classFile.transformClass(
                    classFile.parse(bytes),
                    ClassTransform.transformingMethodBodies(
                            (code, element) -> {
                                if (element instanceof InvokeInstruction call
                                        && call.name().equalsString("yield")) {
                                    code.invokestatic(failing, "yield", call.typeSymbol());
                                } else {
                                    code.with(element);
                                }
                            }));
        }
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
        Object writers =
                new Copy().loadClass(Writers.class.getName()).getConstructor().newInstance();
        assertThat(((Callable<?>) writers).call()).isEqualTo(THREADS * WRITES);
        assertThat(Yield.FAILED).as("has yielded").hasPositiveValue();
    }
}
