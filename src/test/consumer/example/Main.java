package example;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

/** What another project's program does: it writes to itself, and waits for the completion. */
public final class Main {
    private Main() {}

    /** Prints the status. */
    public static void main(String[] args) throws InterruptedException {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                CompletionQueue cq = context.createDirectCq(16);
                QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq))) {
            qp.init(Access.REMOTE_WRITE);
            qp.connect(qp.endpoint());
            qp.postSend(SendWorkRequest.allocate(1, 0).wrId(1).rdmaWrite(0, 0).signaled());
            WorkCompletions batch = WorkCompletions.allocate(1);
            cq.await(batch);
            WcStatus status = batch.status(0);
            System.out.println(status + " in " + Main.class.getModule().getName());
        }
    }
}
