package io.loomverbs.misuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.loomverbs.Access;
import io.loomverbs.AhAttributes;
import io.loomverbs.Gid;
import io.loomverbs.Mtu;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;

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
        init();
        values();
        multicast();
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

    private void init() {
        String init = "QueuePair.init(Access[])";
        String initAt = "QueuePair.init(int, int, Access[])";
        errno(init, s -> s.rc.a.init(), "ibv_modify_qp", "EINVAL", "init begins in RESET");
        errno(initAt, s -> s.rc.a.init(1, 0), "EINVAL", "in state RTS, but init begins in RESET");
        iae(init, s -> ud(s).init(Access.REMOTE_READ), "access is REMOTE_READ", "UD");
        iae(initAt, s -> ud(s).init(1, 0, Access.REMOTE_READ), "access is REMOTE_READ", "UD");
        for (Access bad : new Access[] {Access.ON_DEMAND, Access.RELAXED_ORDERING}) {
            String is = "access is [" + bad + "]";
            iae(init, s -> s.reset.init(bad), is, "memory regions only");
            iae(initAt, s -> s.reset.init(1, 0, bad), is);
            iae(
                    "QpAttributes.Builder.access(Access[])",
                    s -> QpAttributes.builder().access(bad),
                    is);
        }
        for (int bad : new int[] {0, -1, 2, MAX}) {
            iae(initAt, s -> s.reset.init(bad, 0), "port is " + bad, "phys_port_cnt");
        }
        for (int bad : new int[] {-2, MAX}) {
            iae(initAt, s -> s.reset.init(1, bad), "gidIndex is " + bad, "-1 for none");
        }
        iae(
                "QueuePair.connect(QpEndpoint, QpAttributes)",
                s ->
                        s.reset.connect(
                                new QpEndpoint(1, 1, 1, new Gid(1, 2), Mtu.MTU_512),
                                QpAttributes.builder().pathMtu(Mtu.MTU_1024).build()),
                "pathMtu is MTU_1024",
                "the peer's endpoint has MTU_512");
    }

    private static QueuePair ud(Scene s) {
        return s.f.own(s.pd.createQp(s.config(QpType.UD)));
    }

    /** Values that no port of the device has: devices say EINVAL to all of them. */
    private void values() {
        String modify = "QueuePair.modify(QpAttributes)";
        for (int bad : new int[] {2, 255}) {
            errno(
                    modify,
                    s -> s.reset.modify(toInit().portNum(bad).build()),
                    "ibv_modify_qp",
                    "EINVAL",
                    "portNum is " + bad,
                    "1 to 1: phys_port_cnt");
        }
        errno(
                modify,
                s -> s.reset.modify(toInit().pkeyIndex(0xffff).build()),
                "EINVAL",
                "pkeyIndex is 65535",
                "pkey_tbl_len of port 1");
        errno(
                modify,
                s -> s.reset.modify(toRtr(s, new AhAttributes(9, 1, 0, null, 0, 0, 0, 0))),
                "EINVAL",
                "portNum is 9");
        if (!REAL) {
            errno(
                    modify,
                    s ->
                            s.reset.modify(
                                    toRtr(
                                            s,
                                            new AhAttributes(
                                                    1, 1, 0, new Gid(1, 2), 200, 0, 0, 0))),
                    "EINVAL",
                    "sgidIndex is 200",
                    "0 to 0: gid_tbl_len of port 1");
        }
        errno(
                "QueuePair.connect(QpEndpoint, QpAttributes)",
                s ->
                        s.reset.connect(
                                s.rc.a.endpoint(), QpAttributes.builder().maxRdAtomic(255).build()),
                "EINVAL",
                "maxRdAtomic is 255, beyond 128, the device's max_qp_init_rd_atom");
    }

    private static QpAttributes.Builder toInit() {
        return QpAttributes.builder().state(QpState.INIT).pkeyIndex(0).portNum(1).access();
    }

    private static QpAttributes toRtr(Scene s, AhAttributes address) {
        s.reset.init();
        return QpAttributes.builder()
                .state(QpState.RTR)
                .address(address)
                .pathMtu(Mtu.MTU_256)
                .destQpNum(1)
                .rqPsn(1)
                .maxDestRdAtomic(1)
                .minRnrTimer(1)
                .build();
    }

    private void multicast() {
        String attach = "QueuePair.attachMcast(Gid, int)";
        String detach = "QueuePair.detachMcast(Gid, int)";
        Gid group = Gid.parse("ff0e::1");
        for (int mlid : new int[] {-1, 0x1_0000, MAX}) {
            iae(attach, s -> s.ud.a.attachMcast(group, mlid), "mlid is " + mlid, "16 bits");
            iae(detach, s -> s.ud.a.detachMcast(group, mlid), "mlid is " + mlid);
        }
        Gid one = Gid.parse("fe80::1");
        iae(attach, s -> s.ud.a.attachMcast(one, 0), "mgid is fe80", "ff00::/8");
        iae(detach, s -> s.ud.a.detachMcast(one, 0), "mgid is fe80", "ff00::/8");
        ise(attach, s -> s.rc.a.attachMcast(group, 0), "is of type RC", "UD");
        ise(detach, s -> s.rc.a.detachMcast(group, 0), "is of type RC", "UD");
        errno(
                detach,
                s -> s.ud.a.detachMcast(group, 0),
                "ibv_detach_mcast",
                "EINVAL",
                "group ff0e:0000");
        errno(
                "QueuePair.close()",
                s -> {
                    s.ud.a.attachMcast(group, 0);
                    try {
                        s.ud.a.close();
                    } finally {
                        s.ud.a.detachMcast(group, 0);
                    }
                },
                "ibv_destroy_qp",
                "EBUSY",
                "detachMcast first");
    }
}
