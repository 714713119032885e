package examples;

import io.loomverbs.*;

import java.lang.foreign.ValueLayout;

/** The memory window of the guide, which is compared with this file. */
public final class Windows {
    private Windows() {}

    /** Lends 8 bytes of a large region to a peer, which writes there and gives them back. */
    public static void main(String[] args) throws InterruptedException {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion mr = pd.allocateMr(4096, Access.LOCAL_WRITE, Access.MW_BIND);
                MemoryRegion local = pd.allocateMr(8, Access.LOCAL_WRITE);
                CompletionQueue cq = context.createDirectCq(16);
                QueuePair peer = pd.createQp(QpConfig.of(QpType.RC, cq));
                QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq));
                MemoryWindow mw = pd.allocMw(MwType.TYPE_2)) {
            qp.init(Access.REMOTE_WRITE);
            qp.connect(peer.endpoint());
            peer.connect(qp.endpoint());
            WorkCompletions batch = WorkCompletions.allocate(16);
            SendWorkRequest wr = SendWorkRequest.allocate(1, 0);

            int rkey = MemoryWindow.incRkey(mw.rkey());
            qp.postRecv(RecvWorkRequest.allocate(1)); // for the message that gives it back
            qp.postSend(wr.bindMw(mw, rkey, mr, 1024, 8, Access.REMOTE_WRITE).signaled());
            cq.await(batch); // from here on, you may send the peer the address and the key

            local.memory().set(ValueLayout.JAVA_LONG, 0, 42);
            peer.postSend(wr.clear().rdmaWrite(mr.address() + 1024, rkey).sge(local));
            peer.postSend(wr.clear().sendWithInv(rkey)); // it writes no more
            cq.await(batch);
            boolean back = batch.hasInvalidatedRkey(0) && batch.invalidatedRkey(0) == rkey;
            System.out.println(back + " " + mr.memory().get(ValueLayout.JAVA_LONG, 1024));
        }
    }
}
