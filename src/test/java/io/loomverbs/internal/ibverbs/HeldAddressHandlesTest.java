package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.fault.SecondCopy;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SendWr;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.classfile.ClassTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/** A post that meets an Error at one of its address handles lets go of the others. */
@Timeout(60)
class HeldAddressHandlesTest {
    private static final String QUEUE_PAIR = "io.loomverbs.internal.ibverbs.IbvQp";

    /** Called before an address handle is held; known to both copies. */
    public static final class Second {
        private static final AtomicInteger CALLS = new AtomicInteger();

        private Second() {}

        public static void fails() {
            if (CALLS.incrementAndGet() == 2) {
                throw new OutOfMemoryError("planted");
            }
        }
    }

    /** The library once more, in which the second address handle meets an Error. */
    private static final class Copy extends SecondCopy {
        Copy() {
            super(Optional.empty(), Set.of(Second.class.getName()));
        }

        @Override
        protected byte[] change(String name, byte[] bytes) {
            if (!name.equals(QUEUE_PAIR)) {
                return bytes;
            }
            ClassDesc second = ClassDesc.of(Second.class.getName());
            return classFile.transformClass(
                    classFile.parse(bytes),
                    ClassTransform.transformingMethodBodies(
                            (code, element) -> {
                                if (element instanceof InvokeInstruction call
                                        && call.name().equalsString("tryEnter")) {
                                    code.invokestatic(
                                            second,
                                            "fails",
                                            MethodTypeDesc.of(ConstantDescs.CD_void));
                                }
                                code.with(element);
                            }));
        }
    }

    /** Sends to two addresses, and destroys them. Loaded by the copy. */
    public static final class Datagrams implements Callable<String> {
        @Override
        public String call() throws Exception {
            HandMadeDevice device = HandMadeDevice.create();
            IbvContext context = device.bareContext();
            IbvQp qp = device.datagramQueuePair(context);
            IbvAh one = device.addressHandle(context);
            IbvAh other = device.addressHandle(context);
            SendWr first = to(one);
            first.next(to(other));
            String outcome;
            try {
                outcome = "posted: " + qp.postSend(first);
            } catch (OutOfMemoryError e) {
                outcome = e.getMessage();
            }
            return outcome + destroyed(one) + destroyed(other);
        }

        private static SendWr to(IbvAh ah) {
            SendWr wr = new SendWr(1, 0);
            wr.opcode(Ibv.WR_SEND);
            wr.ud(ah, 1, 1);
            return wr;
        }

        private static String destroyed(IbvAh ah) throws InterruptedException {
            Thread thread = Thread.ofPlatform().daemon().start(ah::destroy);
            return thread.join(Duration.ofSeconds(10)) ? ", destroyed" : ", hangs";
        }
    }

    @Test
    void theyCanBeDestroyed() throws Exception {
        HandMadeDevice.assumeLibrary();
        Object datagrams =
                new Copy()
                        .loadClass(Datagrams.class.getName())
                        .getDeclaredConstructor()
                        .newInstance();
        assertThat(((Callable<?>) datagrams).call()).isEqualTo("planted, destroyed, destroyed");
    }
}
