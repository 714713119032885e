package examples;

import io.loomverbs.*;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** The example of the README, which is compared with this file. */
public final class Hello {
    private Hello() {}

    /** Sends one message to a handler that runs on a virtual thread of its own. */
    public static void main(String[] args) throws InterruptedException {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion inbox = pd.allocateMr(64, Access.LOCAL_WRITE);
                CompletionQueue sent = context.createDirectCq(16);
                CompletionQueue received = context.createDirectCq(16);
                QueuePair alice = pd.createQp(QpConfig.of(QpType.RC, sent).withInlineData(64));
                QueuePair bob = pd.createQp(QpConfig.of(QpType.RC, received))) {
            alice.connect(bob.endpoint());
            bob.connect(alice.endpoint());
            bob.postRecv(RecvWorkRequest.allocate(1).wrId(1).sge(inbox));

            Thread handler =
                    received.serve(
                            batch -> {
                                System.out.println(inbox.memory().getString(0));
                                Thread.currentThread().interrupt(); // one message is enough
                            });

            byte[] text = "hello, verbs\0".getBytes(StandardCharsets.UTF_8);
            alice.postSend(
                    SendWorkRequest.allocate(1, 64).send().inline(MemorySegment.ofArray(text)));
            handler.join();
        }
    }
}
