package examples;

import io.loomverbs.*;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.Requests;

import java.time.Duration;

/** Short pieces of the guide and of the API reference, which are compared with this file. */
public final class Pieces {
    private static final int QKEY = 7;

    private Pieces() {}

    public static void main(String[] args) throws Exception {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd()) {
            group(context, pd);
            timestamps(context, pd);
            sharedReceives(context, pd);
            reply(context, pd);
            reusedRequest(context, pd);
            pool(context, pd);
        }
    }

    private static void group(Context context, ProtectionDomain pd) throws Exception {
        try (CompletionQueue control = context.createDirectCq(16);
                CompletionQueue data = context.createDirectCq(16)) {
            complete(pd, control);
            complete(pd, data);
            try (CqGroup group = CqGroup.create()) {
                group.add(control); // CQs with direct delivery
                group.add(data);
                GroupCompletions batch = GroupCompletions.allocate(64);
                while (group.await(batch, 1, Duration.ofSeconds(1)) > 0) {
                    for (int i = 0; i < batch.completions().size(); i++) {
                        dispatch(batch.cq(i), batch.completions().get(i));
                    }
                }
            }
        }
    }

    private static void dispatch(CompletionQueue cq, WorkCompletion completion) {
        System.out.println("of a group: " + (cq.isDirect() ? completion.status() : "none"));
    }

    private static void timestamps(Context context, ProtectionDomain pd) throws Exception {
        WorkCompletions batch = WorkCompletions.allocate(2);
        CompletionQueue cq =
                context.createCqEx(CqConfig.direct(64).withFields(WcField.COMPLETION_TIMESTAMP));
        complete(pd, cq);
        complete(pd, cq);
        ExtendedDeviceAttributes clock = context.extendedAttributes();
        cq.await(batch, 2);
        long nanos = clock.nanos(batch.timestamp(0), batch.timestamp(1));
        System.out.println("in order: " + (nanos >= 0));
        cq.close();
    }

    private static void sharedReceives(Context context, ProtectionDomain pd) throws Exception {
        CompletionQueue cq = context.createDirectCq(2048);
        RecvWorkRequest request = RecvWorkRequest.allocate(1).wrId(7);
        SharedReceiveQueue srq = pd.createSrq(SrqAttributes.of(1024));
        QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq).withSrq(srq)); // and any number more
        srq.postRecv(request); // or a chain
        srq.armLimit(256);
        qp.connect(qp.endpoint());
        qp.postSend(SendWorkRequest.allocate(1, 0).send());
        WorkCompletions batch = WorkCompletions.allocate(1);
        cq.await(batch);
        System.out.println("shared receive " + batch.wrId(0));
        qp.close();
        srq.close();
        cq.close();
    }

    private static void reply(Context context, ProtectionDomain pd) throws Exception {
        int qkey = QKEY;
        int port = 1;
        try (MemoryRegion buffer = pd.allocateMr(256, Access.LOCAL_WRITE);
                MemoryRegion reply = pd.allocateMr(8);
                CompletionQueue cq = context.createDirectCq(16);
                QueuePair peer = pd.createQp(QpConfig.of(QpType.UD, cq));
                QueuePair qp = pd.createQp(QpConfig.of(QpType.UD, cq))) {
            peer.init();
            qp.init();
            peer.postRecv(RecvWorkRequest.allocate(1).sge(buffer));
            qp.postRecv(RecvWorkRequest.allocate(1).sge(buffer));
            peer.activate(qkey);
            qp.activate(qkey);
            WorkCompletions batch = WorkCompletions.allocate(1);
            int i = 0;
            SendWorkRequest request = SendWorkRequest.allocate(1, 0);
            try (AddressHandle to = pd.createAh(peer.addressOf(qp.endpoint()))) {
                peer.postSend(request.send().sge(reply).to(to, qp.qpNum(), qkey));
                cq.await(batch);
            }
            request.clear();
            AddressHandle back = pd.createAhFromWc(batch, i, buffer.memory(), port);
            qp.postSend(request.send().sge(reply).to(back, batch.srcQp(i), qkey));
            cq.await(batch);
            System.out.println("reply to " + (batch.qpNum(i) == peer.qpNum() ? "peer" : "self"));
            back.close();
        }
    }

    private static void reusedRequest(Context context, ProtectionDomain pd) throws Exception {
        try (MemoryRegion mr = pd.allocateMr(64);
                CompletionQueue cq = context.createDirectCq(16);
                QueuePair qp = pd.createQp(QpConfig.of(QpType.UC, cq))) {
            qp.connect(qp.endpoint());
            SendWorkRequest wr = SendWorkRequest.allocate(1, 0);
            qp.postSend(wr.clear().wrId(7).send().sge(mr, 0, 64).signaled());
            WorkCompletions batch = WorkCompletions.allocate(1);
            cq.await(batch);
            System.out.println("request " + batch.wrId(0));
        }
    }

    private static void pool(Context context, ProtectionDomain pd) throws Exception {
        try (MemoryRegion mr = pd.allocateMr(64, Access.REMOTE_READ);
                CompletionQueue cq = context.createDirectCq(64);
                BufferPool pool = BufferPool.of(pd, 64, 1);
                QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq))) {
            qp.init(Access.REMOTE_READ);
            qp.connect(qp.endpoint());
            RemoteRegion remote = RemoteRegion.of(mr);
            try (Requests requests = Requests.over(qp)) {
                try (Buffer buffer = pool.take()) {
                    requests.read(remote, buffer);
                }
            }
            System.out.println("buffers " + pool.available());
        }
    }

    /** Adds a completion: a message of no bytes to itself, unreliable and without a receive. */
    private static void complete(ProtectionDomain pd, CompletionQueue cq) {
        try (QueuePair qp = pd.createQp(QpConfig.of(QpType.UC, cq))) {
            qp.connect(qp.endpoint());
            qp.postSend(SendWorkRequest.allocate(1, 0).send().signaled());
        }
    }
}
