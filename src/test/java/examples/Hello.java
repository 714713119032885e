package examples;

import io.loomverbs.*;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** The example of the README, which is compared with this file. */
public final class Hello {
    private Hello() {}

    /** Sends one message to a handler that runs on its own virtual thread. */
    public static void main(String[] args) throws InterruptedException {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion inbox = pd.allocateMr(64, Access.LOCAL_WRITE);
                CompletionQueue sent = context.createDirectCq(16);
                CompletionQueue received = context.createDirectCq(16);
                QueuePair alice = pd.createQp(QpConfig.of(QpType.RC, sent).withInlineData(64));
                QueuePair bob = pd.createQp(QpConfig.of(QpType.RC, received))) {
            bob.init(); // receives may be posted, and nothing can arrive yet
            bob.postRecv(RecvWorkRequest.allocate(1).wrId(1).sge(inbox));
            bob.connect(alice.endpoint());
            alice.connect(bob.endpoint());

            Serving handler =
                    received.serve(
                            batch -> {
                                boolean good = batch.status(0) == WcStatus.SUCCESS;
                                System.out.println(
                                        good ? inbox.memory().getString(0) : batch.status(0));
                                Thread.currentThread().interrupt(); // ends this handler
                            });

            byte[] text = "hello, verbs\0".getBytes(StandardCharsets.UTF_8);
            alice.postSend(
                    SendWorkRequest.allocate(1, 64).send().inline(MemorySegment.ofArray(text)));
            if (!handler.join(Duration.ofSeconds(5))) {
                System.out.println("nothing has arrived: is a receive posted?");
            }
        }
    }
}
