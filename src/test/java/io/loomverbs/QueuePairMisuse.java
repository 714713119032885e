package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.foreign.MemorySegment;

/** Changes of state that a queue pair refuses, and requests that it does not take. */
final class QueuePairMisuse extends MisuseTable {
    QueuePairMisuse() {
        String connect = "QueuePair.connect(QpEndpoint)";
        String connectWith = "QueuePair.connect(QpEndpoint, QpAttributes)";
        QpAttributes nothing = QpAttributes.builder().build();
        ise(connect, s -> s.ud.a.connect(s.rc.a.endpoint()), "qp-0x", "UD", "activate");
        ise(connectWith, s -> s.ud.a.connect(s.rc.a.endpoint(), nothing), "UD", "activate");
        errno(connect, s -> s.rc.a.connect(s.rc.b.endpoint()), "ibv_modify_qp", "EINVAL", "RTS");
        errno(
                connectWith,
                s -> s.rc.a.connect(s.rc.b.endpoint(), nothing),
                "ibv_modify_qp",
                "EINVAL",
                "connect begins in RESET");
        ise("QueuePair.activate(int)", s -> s.reset.activate(1), "qp-0x", "RC", "connect");
        errno("QueuePair.activate(int)", s -> s.ud.a.activate(1), "ibv_modify_qp", "EINVAL");
        String modify = "QueuePair.modify(QpAttributes)";
        errno(
                modify,
                s -> s.reset.modify(QpAttributes.builder().state(QpState.RTS).build()),
                "EINVAL",
                "in state RESET",
                "to RTS",
                "IBV_QP_STATE");
        errno(
                modify,
                s -> {
                    Throwable e =
                            catchThrowable(
                                    () -> s.rc.a.modify(QpAttributes.builder().qkey(1).build()));
                    assertThat(e.getMessage())
                            .as("no change of state was asked for")
                            .doesNotContain("to RESET");
                    throw (Exception) e;
                },
                "EINVAL",
                "in state RTS",
                "IBV_QP_QKEY");
        String send = "QueuePair.postSend(SendWorkRequest)";
        String recv = "QueuePair.postRecv(RecvWorkRequest)";
        post(send, s -> s.reset.postSend(s.send.send()), "ibv_post_send", "EINVAL", "RESET");
        post(recv, s -> s.reset.postRecv(s.recv), "ibv_post_recv", "EINVAL", "RESET");
        post(send, s -> s.ud.a.postSend(s.send.rdmaRead(0, 0)), "ibv_post_send", "EINVAL");
        post(
                send,
                s -> s.rc.a.postSend(SendWorkRequest.allocate(9, 0).sge(s.mr).sge(s.mr)),
                "EINVAL",
                "2 scatter/gather entries, but was granted 1");
        post(recv, s -> s.rc.a.postRecv(RecvWorkRequest.allocate(9).sge(s.mr).sge(s.mr)), "EINVAL");
        post(
                send,
                s ->
                        s.rc.a.postSend(
                                SendWorkRequest.allocate(1, 4000)
                                        .inline(MemorySegment.ofArray(new byte[4000]))),
                "EINVAL");
        post(
                recv,
                s -> {
                    QueuePair qp = s.f.own(s.pd.createQp(s.config(QpType.RC).withWr(2, 2)));
                    qp.modify(
                            QpAttributes.builder()
                                    .state(QpState.INIT)
                                    .pkeyIndex(0)
                                    .portNum(1)
                                    .access()
                                    .build());
                    for (int i = 0; i < 1000; i++) {
                        qp.postRecv(s.recv);
                    }
                },
                "ENOMEM",
                "full",
                "2");
        iae(send, s -> s.rc.a.postSend(s.send.sge(s.otherMr)), "pd-", "request names memory");
        iae(send, s -> s.ud.a.postSend(s.send.to(s.otherAh, 1, 1)), "pd-");
        iae(
                send,
                s -> s.rc.a.postSend(s.send.next(SendWorkRequest.allocate(1, 0).sge(s.otherMr))),
                "pd-");
        iae(recv, s -> s.rc.a.postRecv(s.recv.sge(s.otherMr)), "pd-", "request names memory");
    }
}
