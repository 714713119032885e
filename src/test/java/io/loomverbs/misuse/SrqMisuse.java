package io.loomverbs.misuse;

import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;

/** Bad input to shared receive queues, and to queue pairs that use one. */
final class SrqMisuse extends MisuseTable {
    SrqMisuse() {
        String attributes = "SrqAttributes(int, int, int)";
        String of = "SrqAttributes.of(int)";
        String create = "ProtectionDomain.createSrq(SrqAttributes)";
        String resize = "SharedReceiveQueue.resize(int)";
        for (int bad : new int[] {0, -1, Integer.MIN_VALUE}) {
            iae(attributes, s -> new SrqAttributes(bad, 1, 0), "maxWr is " + bad, "1 to");
            iae(of, s -> SrqAttributes.of(bad), "maxWr is " + bad);
            iae(resize, s -> s.srq.resize(bad), "maxWr is " + bad, "max_srq_wr");
        }
        iae(resize, s -> s.srq.resize(MAX), "maxWr is " + MAX_S, "max_srq_wr");
        iae(attributes, s -> new SrqAttributes(1, -1, 0), "maxSge is -1");
        iae(attributes, s -> new SrqAttributes(1, 1, -1), "srqLimit is -1");
        iae(create, s -> s.pd.createSrq(SrqAttributes.of(MAX)), "maxWr is " + MAX_S, "max_srq_wr");
        iae(
                create,
                s -> s.pd.createSrq(new SrqAttributes(1, MAX, 0)),
                "maxSge is " + MAX_S,
                "max_srq_sge");
        iae(create, s -> s.pd.createSrq(new SrqAttributes(8, 1, 2)), "srqLimit is 2", "is empty");
        String arm = "SharedReceiveQueue.armLimit(int)";
        for (int bad : new int[] {-1, MAX, Integer.MIN_VALUE}) {
            iae(arm, s -> s.srq.armLimit(bad), "srqLimit is " + bad, "max_wr of", "srq-");
        }
        errno(
                resize,
                s -> {
                    fill(s, 4);
                    s.srq.resize(1);
                },
                "ibv_modify_srq",
                "EINVAL",
                "srq-",
                "max_wr 1");
        posts();
        String createQp = "ProtectionDomain.createQp(QpConfig)";
        for (QpType type : QpType.values()) {
            iae(
                    createQp,
                    s -> s.pd.createQp(s.config(type).withSrq(s.foreignSrq)),
                    "srq is",
                    "another context");
        }
        closed(
                createQp,
                s -> {
                    SharedReceiveQueue gone = s.f.own(s.pd.createSrq(SrqAttributes.of(1)));
                    gone.close();
                    s.pd.createQp(s.config(QpType.RC).withSrq(gone));
                },
                "srq-",
                "is closed");
        errno(
                "SharedReceiveQueue.close()",
                s -> {
                    s.f.own(s.pd.createQp(s.config(QpType.RC).withSrq(s.srq)));
                    s.srq.close();
                },
                "ibv_destroy_srq",
                "EBUSY",
                "srq-",
                "1 queue pair (");
    }

    private static void fill(Scene s, int n) {
        for (int i = 0; i < n; i++) {
            s.srq.postRecv(s.recv);
        }
    }

    private void posts() {
        String post = "SharedReceiveQueue.postRecv(RecvWorkRequest)";
        post(
                post,
                s -> s.srq.postRecv(RecvWorkRequest.allocate(9).sge(s.mr).sge(s.mr).sge(s.mr)),
                "ibv_post_srq_recv",
                "EINVAL",
                "3 scatter/gather entries, but was granted");
        post(post, s -> fill(s, 1000), "ENOMEM", "srq-", "is full", "granted");
        iae(
                post,
                s -> s.srq.postRecv(s.recv.sge(s.otherMr)),
                "pd-",
                "request names memory",
                "srq-");
        iae(
                post,
                s -> s.srq.postRecv(s.recv.next(RecvWorkRequest.allocate(1).sge(s.otherMr))),
                "pd-");
        post(
                "QueuePair.postRecv(RecvWorkRequest)",
                s -> {
                    QueuePair qp = s.f.own(s.pd.createQp(s.config(QpType.RC).withSrq(s.srq)));
                    qp.init();
                    qp.postRecv(s.recv);
                },
                "EINVAL",
                "takes its receives from",
                "srq-");
    }
}
