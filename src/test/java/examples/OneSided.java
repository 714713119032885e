package examples;

import io.loomverbs.*;

import java.lang.foreign.ValueLayout;

/** The one-sided example of the README, which is compared with this file. */
public final class OneSided {
    private OneSided() {}

    /** Writes to a peer's memory and reads it back, without the peer's CPU. */
    public static void main(String[] args) throws InterruptedException {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion local = pd.allocateMr(16, Access.LOCAL_WRITE);
                MemoryRegion remote =
                        pd.allocateMr(
                                8, Access.LOCAL_WRITE, Access.REMOTE_WRITE, Access.REMOTE_READ);
                CompletionQueue cq = context.createDirectCq(16);
                QueuePair client = pd.createQp(QpConfig.of(QpType.RC, cq));
                QueuePair server = pd.createQp(QpConfig.of(QpType.RC, cq))) {
            server.init(Access.REMOTE_WRITE, Access.REMOTE_READ); // what its peer may do
            server.connect(client.endpoint());
            client.connect(server.endpoint());

            long address = remote.address(); // between processes, send these two in a message
            int rkey = remote.rkey();
            local.memory().set(ValueLayout.JAVA_LONG, 0, 42);
            SendWorkRequest wr = SendWorkRequest.allocate(1, 0);
            client.postSend(wr.wrId(1).rdmaWrite(address, rkey).sge(local, 0, 8));
            client.postSend(wr.clear().wrId(2).rdmaRead(address, rkey).sge(local, 8, 8).signaled());

            WorkCompletions batch = WorkCompletions.allocate(16);
            cq.await(batch); // the signaled READ, or the request that failed
            System.out.println(
                    batch.status(0) + " " + local.memory().get(ValueLayout.JAVA_LONG, 8));
        }
    }
}
