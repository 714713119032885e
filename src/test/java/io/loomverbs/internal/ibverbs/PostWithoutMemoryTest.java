package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.support.ChildJvm;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/** A post that finds no memory for its copy of the requests leaves nothing behind. */
@Timeout(120)
class PostWithoutMemoryTest {
    @BeforeEach
    void needsLibrary() throws IOException {
        HandMadeDevice.assumeLibrary();
    }

    @Test
    void nothingIsHeldOrCutOff() throws Exception {
        String said = ChildJvm.run(Child.class, List.of("-Xmx24m", "-XX:+UseSerialGC"));
        assertThat(said)
                .isEqualTo(
                        """
                        3 posts found no memory
                        the chain is whole
                        destroyed: the queue pair, that of datagrams, the address handle
                        """);
    }

    /** A JVM whose heap is full. */
    static final class Child {
        @SuppressWarnings("UnusedVariable") // to hold it is what it is for
        private static Object @Nullable [] all;

        private Child() {}

        public static void main(String[] args) throws Exception {
            HandMadeDevice device = HandMadeDevice.create();
            IbvContext context = device.bareContext();
            IbvQp qp = device.queuePair(context);
            IbvQp datagrams = device.datagramQueuePair(context);
            IbvAh good = device.addressHandle(context);
            IbvAh bad = device.addressHandle(context);
            SendWr first = datagram(good);
            SendWr second = datagram(bad);
            first.next(second);
            if (bad.destroy() != 0) {
                throw new AssertionError("not destroyed");
            }
            SendWr send = new SendWr(1, 0);
            RecvWr receive = new RecvWr(1);
            List<LongSupplier> posts =
                    List.of(
                            () -> qp.postSend(send),
                            () -> qp.postRecv(receive),
                            () -> datagrams.postSend(first));
            for (LongSupplier post : posts) { // loads what it takes
                long _ = post.getAsLong();
            }
            Scratch.take(); // the next post has to make one
            int failed = failedWithoutMemory(posts);
            System.out.println(failed + " posts found no memory");
            System.out.println("the chain is " + (first.next() == second ? "whole" : "cut off"));
            System.out.println(
                    "destroyed:"
                            + destroyed(" the queue pair", qp::destroy)
                            + destroyed(", that of datagrams", datagrams::destroy)
                            + destroyed(", the address handle", good::destroy));
        }

        private static SendWr datagram(IbvAh to) {
            SendWr wr = new SendWr(1, 0);
            wr.opcode(Ibv.WR_SEND);
            wr.ud(to, 1, 1);
            return wr;
        }

        private static int failedWithoutMemory(List<LongSupplier> posts) {
            all = takeAll();
            int failed = 0;
            for (int i = 0; i < posts.size(); i++) { // no iterator
                try {
                    long _ = posts.get(i).getAsLong();
                } catch (OutOfMemoryError e) {
                    failed++;
                }
            }
            all = null;
            return failed;
        }

        /** Large pieces first, each with the one before in it. */
        private static Object[] takeAll() {
            Object[] last = new Object[1];
            for (int size = 1 << 18; size > 0; size /= 2) {
                try {
                    while (true) {
                        Object[] piece = new Object[size];
                        piece[0] = last;
                        last = piece;
                    }
                } catch (OutOfMemoryError e) {
                    // No more of that size.
                }
            }
            return last;
        }

        private static String destroyed(String what, IntSupplier destroy)
                throws InterruptedException {
            Thread thread =
                    Thread.ofPlatform()
                            .daemon()
                            .start(
                                    () -> {
                                        int _ = destroy.getAsInt();
                                    });
            return thread.join(Duration.ofSeconds(10)) ? what : what + " (hangs)";
        }
    }
}
