package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Access;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletions;
import io.loomverbs.blocking.Requests;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.FileInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * A JVM of its own, whose classes are files in a folder, and which has run out of file descriptors
 * before anything fails for the first time: each failure is what it is, and everything can be
 * closed.
 */
@Timeout(120)
class NoDescriptorsTest {
    /** Prints what every failure was. */
    @SuppressWarnings("try") // explicit closes are part of what is tried
    static final class Child {
        private static final Duration MOMENT = Duration.ofMillis(10);

        private Child() {}

        /** Loaded before, as is all that is of this test. */
        private static void failing(String what, Callable<Object> call) {
            try {
                System.out.println(what + ": no failure but " + call.call());
            } catch (ExecutionException e) {
                System.out.println(what + ": " + e.getCause());
            } catch (Throwable e) {
                System.out.println(what + ": " + e);
            }
        }

        public static void main(String[] args) throws Exception {
            failing("before", () -> "the limit");
            HandMadeDevice device = HandMadeDevice.create();
            Context made = device.open();
            CompletionChannel channel = made.createCompChannel();
            CompletionQueue onChannel = made.createCq(1, null, channel, 0);
            Context context = Verbs.device("soft0").open();
            ProtectionDomain pd = context.allocPd();
            MemoryRegion memory = pd.allocateMr(64, Access.LOCAL_WRITE);
            CompletionQueue cq = context.createDirectCq(16);
            QueuePair a = pd.createQp(QpConfig.of(QpType.RC, cq));
            QueuePair b = pd.createQp(QpConfig.of(QpType.RC, cq));
            CompletionQueue blocking = context.createDirectCq(16);
            Requests requests = Requests.over(pd.createQp(QpConfig.of(QpType.RC, blocking)));
            WorkCompletions batch = WorkCompletions.allocate(4);
            SendWorkRequest request = SendWorkRequest.allocate(1, 0).send().sge(memory).signaled();
            RecvWorkRequest receive = RecvWorkRequest.allocate(1).sge(memory);
            FutureTask<Object> waiter = new FutureTask<>(() -> channel.getCqEvent());

            Posix.limitDescriptors(3);
            failing("open", () -> new FileInputStream("/dev/null"));

            failing("post", () -> post(a, request));
            failing("wait", () -> cq.getCqEvent(MOMENT));
            failing("busy pd", () -> close(pd));
            failing("busy context", () -> close(context));
            failing("busy channel", () -> close(channel));
            failing("connect", () -> connect(a, b));
            failing("receive", () -> receive(b, receive));
            failing("send", () -> post(a, request));
            failing("flush", () -> flush(b));
            failing("completions", () -> cq.await(batch, 1, Duration.ofSeconds(10)));
            failing("sent", () -> post(b, request));
            failing("arguments", () -> context.createDirectCq(-1));
            failing("mr", () -> pd.allocateMr(0));
            failing("second channel", () -> made.createCompChannel());
            Thread.ofVirtual().start(waiter);
            Thread.sleep(50); // until it waits
            device.refusesClose = 16;
            close(onChannel);
            close(requests);
            failing("closed requests", () -> requests.start(wr -> {}));
            close(requests.queuePair());
            close(blocking);
            failing("closed channel", () -> close(channel));
            failing("waiter", () -> waiter.get(20, TimeUnit.SECONDS));
            failing("refused close", () -> close(made));
            device.refusesClose = 0;
            close(made);
            failing("closed context", () -> made.getAsyncEvent(MOMENT));
            close(a);
            close(b);
            close(cq);
            failing("closed cq", () -> cq.poll(batch));
            failing("closed qp", () -> post(a, request));
            close(memory);
            close(pd);
            close(context);
            failing("closed", () -> context.allocPd());
            failing("another", () -> open());
            System.out.println("done");
        }

        private static Object open() {
            Context another = Verbs.device("soft0").open();
            another.close();
            return "soft0 needs none";
        }

        private static Object close(AutoCloseable what) throws Exception {
            what.close();
            return "closed";
        }

        private static Object post(QueuePair qp, SendWorkRequest request) {
            qp.postSend(request);
            return "posted";
        }

        private static Object receive(QueuePair qp, RecvWorkRequest request) {
            qp.postRecv(request);
            return "posted";
        }

        private static Object connect(QueuePair a, QueuePair b) {
            a.connect(b.endpoint());
            b.connect(a.endpoint());
            a.connect(b.endpoint());
            return "connected";
        }

        private static Object flush(QueuePair qp) {
            qp.modify(QpAttributes.builder().state(QpState.ERR).build());
            qp.modify(QpAttributes.builder().state(QpState.RTS).build());
            return "flushed";
        }
    }

    @Test
    void everyFailureIsWhatItIs() throws IOException, InterruptedException {
        HandMadeDevice.assumeLibrary();
        String printed = ChildJvm.run(Child.class, List.of("-Xlog:disable", "-Xshare:auto"));
        assertThat(printed)
                .contains("open: java.io.FileNotFoundException", "\ndone\n")
                .doesNotContain("NoClassDefFoundError", "ClassNotFoundException", "LinkageError");
    }
}
