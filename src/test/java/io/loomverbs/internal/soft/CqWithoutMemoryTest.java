package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletions;
import io.loomverbs.fault.SecondCopy;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.classfile.ClassTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** A CQ that has no memory for a completion ends like one that is full: no thread waits for it. */
@Timeout(60)
class CqWithoutMemoryTest {
    /** As many as a CQ holds before it takes more memory. */
    private static final int FIRST = 8;

    /** What {@link CqRing} calls in place of its own method; known to both copies. */
    public static final class Growth {
        static final AtomicInteger FAILED = new AtomicInteger();

        private Growth() {}

        public static void grow(Object ring) {
            FAILED.incrementAndGet();
            throw new OutOfMemoryError("planted, in " + ring.getClass().getSimpleName());
        }
    }

    /** The library once more, in which a CQ cannot grow. */
    private static final class Copy extends SecondCopy {
        Copy() {
            super(Optional.empty(), Set.of(Growth.class.getName()));
        }

        @Override
        protected byte[] change(String name, byte[] bytes) {
            if (!name.equals(CqRing.class.getName())) {
                return bytes;
            }
            ClassDesc failing = ClassDesc.of(Growth.class.getName());
            MethodTypeDesc type = MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_Object);
            return classFile.transformClass(
                    classFile.parse(bytes),
                    ClassTransform.transformingMethodBodies(
                            (code, element) -> {
                                if (element instanceof InvokeInstruction call
                                        && call.name().equalsString("grow")) {
                                    code.invokestatic(failing, "grow", type);
                                } else {
                                    code.with(element);
                                }
                            }));
        }
    }

    /** A queue pair that completes one request more than there is memory for. */
    public static final class Program implements Function<String, String> {
        @Override
        public String apply(String device) {
            try (Context context = Verbs.device(device).open();
                    ProtectionDomain pd = context.allocPd();
                    CompletionQueue cq = context.createDirectCq(64);
                    MemoryRegion memory = pd.allocateMr(64, Fixture.anything());
                    QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(16, 1))) {
                qp.init(Fixture.anything());
                qp.connect(qp.endpoint());
                for (int i = 0; i <= FIRST; i++) {
                    SendWorkRequest wr = SendWorkRequest.allocate(1, 0).wrId(i);
                    wr.rdmaWrite(memory.address() + 8, memory.rkey()).sge(memory, 0, 8);
                    qp.postSend(wr.signaled());
                }
                Fixture.eventually("it has failed", () -> qp.state() == QpState.ERR);
                return takeAll(cq) + (hasTold(context) ? ", and told" : ", and not told");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private static String takeAll(CompletionQueue cq) throws InterruptedException {
            WorkCompletions batch = WorkCompletions.allocate(2 * FIRST);
            int taken = 0;
            try {
                while (taken <= FIRST) {
                    int n = cq.await(batch, 1, Fixture.PATIENCE);
                    if (n == 0) {
                        return taken + " and no more";
                    }
                    taken += n;
                }
                return taken + " taken";
            } catch (VerbsException e) {
                return taken + " and " + e.errnoName();
            }
        }

        /** Of the CQ, and not only of the queue pair. */
        private static boolean hasTold(Context context) throws InterruptedException {
            for (int i = 0; i < 2; i++) {
                try (AsyncEvent event = context.getAsyncEvent(Fixture.PATIENCE)) {
                    if (event != null && event.type() == AsyncEventType.CQ_ERR) {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft0", "strict0"})
    void itOverruns(String device) throws Exception {
        int before = Growth.FAILED.get();
        @SuppressWarnings("unchecked")
        Function<String, String> program =
                (Function<String, String>)
                        new Copy()
                                .loadClass(Program.class.getName())
                                .getConstructor()
                                .newInstance();
        assertThat(program.apply(device)).isEqualTo(FIRST + " and EIO, and told");
        assertThat(Growth.FAILED.get()).isGreaterThan(before);
    }
}
