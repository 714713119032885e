package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import static java.util.Map.entry;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Bad input and closed objects, for every public method of the API. What is public is found by
 * reflection, so a new method fails these tests until it is entered in the tables.
 */
@Timeout(60)
@SuppressWarnings("try") // explicit closes are what is tried
class ApiMisuseTest {
    /** Something bad that is tried on a fresh fixture. */
    interface Attempt {
        void on(Scene s) throws Exception;
    }

    /** An attempt, and the exception it must end with. */
    record Bad(String method, Attempt attempt, Class<?> exception, List<String> message) {
        Bad(String method, Attempt attempt, Class<?> exception, String... message) {
            this(method, attempt, exception, List.of(message));
        }

        @Override
        public String toString() {
            return method + " -> " + exception.getSimpleName() + message;
        }
    }

    /** One object of each kind, open, and connected where that makes sense. */
    static final class Scene implements AutoCloseable {
        final Fixture f = new Fixture();
        final Context context = f.context;
        final ProtectionDomain pd = f.pd;
        final CompletionChannel channel = f.channel();
        final CompletionQueue direct = f.direct();
        final CompletionQueue shared = f.on(channel);
        final CompletionQueue polled = f.polled();
        final Fixture.Pair rc = f.pair(direct, direct);
        final Fixture.Pair ud = f.pair(QpType.UD, polled, polled);
        final QueuePair reset = f.own(pd.createQp(QpConfig.of(QpType.RC, polled)));
        final MemoryRegion mr = f.mr(64);
        final AddressHandle ah = f.own(pd.createAh(Fixture.addressOf(ud.b)));
        final ProtectionDomain otherPd = f.own(context.allocPd());
        final MemoryRegion otherMr = f.own(otherPd.allocateMr(64, Access.values()));
        final AddressHandle otherAh = f.own(otherPd.createAh(Fixture.addressOf(ud.b)));
        final Fixture g = new Fixture();
        final CompletionQueue foreignCq = g.polled();
        final CompletionChannel foreignChannel = g.channel();
        final SendWorkRequest send = SendWorkRequest.allocate(1, 16);
        final RecvWorkRequest recv = RecvWorkRequest.allocate(1);

        @Override
        public void close() throws Exception {
            // The objects still work, so nothing that was tried has changed them.
            rc.message(1, 8);
            Fixture.poll(direct, 2);
            assertThat(direct.unackedEvents() + shared.unackedEvents()).isZero();
            f.close();
            g.close();
        }
    }

    private static final List<Bad> BAD = new ArrayList<>();

    private static void iae(String method, Attempt attempt, String... message) {
        BAD.add(new Bad(method, attempt, IllegalArgumentException.class, message));
    }

    private static void ise(String method, Attempt attempt, String... message) {
        BAD.add(new Bad(method, attempt, IllegalStateException.class, message));
    }

    private static void closed(String method, Attempt attempt, String... message) {
        BAD.add(new Bad(method, attempt, ClosedException.class, message));
    }

    private static void errno(String method, Attempt attempt, String... message) {
        BAD.add(new Bad(method, attempt, VerbsException.class, message));
    }

    private static void post(String method, Attempt attempt, String... message) {
        BAD.add(new Bad(method, attempt, PostException.class, message));
    }

    /** soft0 never refuses what libibverbs asks of a kernel. */
    private static final boolean REAL = !Fixture.DEVICE.equals("soft0");

    private static final int MAX = Integer.MAX_VALUE;
    private static final String MAX_S = Integer.toString(MAX);

    private static MemorySegment freed() {
        try (Arena arena = Arena.ofShared()) {
            return arena.allocate(64);
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // a few bytes, for as long as the tests run
    private static MemorySegment confined() {
        return Arena.ofConfined().allocate(64);
    }

    private static QpConfig config(Scene s, QpType type) {
        return QpConfig.of(type, s.polled);
    }

    static {
        context();
        queues();
        domain();
        queuePairs();
        requests();
        values();
    }

    private static void context() {
        iae("Verbs.device(String)", s -> Verbs.device("nope0"), "name", "\"nope0\"", "soft0");
        iae("Verbs.device(String)", s -> Verbs.device(""), "name", "\"\"");
        for (int port : new int[] {0, -1, 2, MAX, Integer.MIN_VALUE}) {
            String is = "port is " + port;
            iae("Context.port(int)", s -> s.context.port(port), is, "phys_port_cnt");
            iae("Context.gid(int, int)", s -> s.context.gid(port, 0), is, "phys_port_cnt");
        }
        iae("Context.gid(int, int)", s -> s.context.gid(1, -1), "index is -1", "gid_tbl_len");
        iae(
                "Context.gid(int, int)",
                s -> s.context.gid(1, s.context.port(1).gidTableLength()),
                "index is ",
                "gid_tbl_len");
        String create = "Context.createCq(int, Object, CompletionChannel, int)";
        String createDirect = "Context.createDirectCq(int, Object, CompletionChannel, int)";
        for (int cqe : new int[] {0, -1, Integer.MIN_VALUE, MAX}) {
            String is = "cqe is " + cqe;
            iae(create, s -> s.context.createCq(cqe, null, null, 0), is, "max_cqe");
            iae(createDirect, s -> s.context.createDirectCq(cqe, null, s.channel, 0), is);
            iae("Context.createDirectCq(int)", s -> s.context.createDirectCq(cqe), is, "max_cqe");
            iae("CompletionQueue.resize(int)", s -> s.direct.resize(cqe), is, "max_cqe");
        }
        iae(
                create,
                s -> s.context.createCq(s.context.attributes().maxCqe() + 1, null, s.channel, 0),
                "cqe is");
        for (int vector : new int[] {-1, Integer.MIN_VALUE, MAX}) {
            String is = "compVector is " + vector;
            iae(create, s -> s.context.createCq(1, null, null, vector), is, "num_comp_vectors");
            iae(createDirect, s -> s.context.createDirectCq(1, null, null, vector), is);
        }
        iae(
                create,
                s -> s.context.createCq(1, null, null, s.context.numCompVectors()),
                "compVector is",
                "num_comp_vectors");
        iae(
                create,
                s -> s.context.createCq(1, null, s.foreignChannel, 0),
                "channel is",
                "channel-",
                "context");
        iae(createDirect, s -> s.context.createDirectCq(1, null, s.foreignChannel, 0), "channel");
        iae(
                "Context.getAsyncEvent(Duration)",
                s -> s.context.getAsyncEvent(Duration.ofNanos(-1)),
                "timeout is -0.000000001 s",
                "negative");
    }

    private static void queues() {
        Duration negative = Duration.ofSeconds(Long.MIN_VALUE);
        String is = "timeout is " + Long.MIN_VALUE + " s";
        iae("CompletionChannel.getCqEvent(Duration)", s -> s.channel.getCqEvent(negative), is);
        iae("CompletionQueue.getCqEvent(Duration)", s -> s.direct.getCqEvent(negative), is);
        iae("CompletionQueue.close(Duration)", s -> s.shared.close(negative), is);
        String await = "CompletionQueue.await(WorkCompletions, int)";
        String awaitTimed = "CompletionQueue.await(WorkCompletions, int, Duration)";
        iae(
                awaitTimed,
                s -> s.direct.await(WorkCompletions.allocate(1), 1, negative),
                "timeout is");
        for (int min : new int[] {0, -1, 5, MAX, Integer.MIN_VALUE}) {
            iae(
                    await,
                    s -> s.direct.await(WorkCompletions.allocate(4), min),
                    "min is " + min,
                    "1 to 4",
                    "capacity");
            iae(
                    awaitTimed,
                    s -> s.direct.await(WorkCompletions.allocate(4), min, Duration.ZERO),
                    "min is " + min);
        }
        for (int n : new int[] {0, -1, Integer.MIN_VALUE}) {
            iae("CompletionQueue.ackEvents(int)", s -> s.direct.ackEvents(n), "n is " + n, "1");
        }
        for (int n : new int[] {1, MAX}) {
            ise("CompletionQueue.ackEvents(int)", s -> s.direct.ackEvents(n), "n is " + n, "cq-");
        }
        for (boolean channel : new boolean[] {true, false}) {
            String why = channel ? "delivers to its channel" : "without a channel";
            Duration now = Duration.ZERO;
            WorkCompletions one = WorkCompletions.allocate(1);
            wrongDelivery(
                    "CompletionQueue.getCqEvent()", CompletionQueue::getCqEvent, channel, why);
            wrongDelivery(
                    "CompletionQueue.getCqEvent(Duration)", cq -> cq.getCqEvent(now), channel, why);
            wrongDelivery(
                    "CompletionQueue.tryGetCqEvent()", cq -> cq.tryGetCqEvent(), channel, why);
            wrongDelivery(
                    "CompletionQueue.await(WorkCompletions)", cq -> cq.await(one), channel, why);
            wrongDelivery(await, cq -> cq.await(one, 1), channel, why);
            wrongDelivery(awaitTimed, cq -> cq.await(one, 1, now), channel, why);
            wrongDelivery(
                    "CompletionQueue.serve(CompletionHandler)",
                    cq -> cq.serve(batch -> {}),
                    channel,
                    why);
        }
        for (boolean solicited : new boolean[] {true, false}) {
            ise(
                    "CompletionQueue.reqNotify(boolean)",
                    s -> s.polled.reqNotify(solicited),
                    "cq-",
                    "without a channel");
        }
        ise(
                "CompletionQueue.serve(CompletionHandler)",
                s -> {
                    CompletionQueue cq = s.f.direct();
                    Thread first = cq.serve(batch -> {});
                    try {
                        cq.serve(batch -> {});
                    } finally {
                        first.interrupt();
                        first.join();
                    }
                },
                "being served");
    }

    private interface OnCq {
        void use(CompletionQueue cq) throws Exception;
    }

    private static void wrongDelivery(String method, OnCq use, boolean channel, String why) {
        ise(method, s -> use.use(channel ? s.shared : s.polled), "cq-", why);
    }

    private static void domain() {
        String reg = "ProtectionDomain.regMr(MemorySegment, Access[])";
        MemorySegment heap = MemorySegment.ofArray(new byte[64]);
        iae(reg, s -> s.pd.regMr(heap), "memory", "64 bytes", "heap");
        iae(reg, s -> s.pd.regMr(freed()), "memory", "64 bytes", "freed");
        iae(reg, s -> s.pd.regMr(confined()), "memory", "64 bytes", "confined");
        iae(reg, s -> s.pd.regMr(MemorySegment.NULL), "memory.byteSize() is 0", "max_mr_size");
        MemorySegment readOnly = Arena.global().allocate(64).asReadOnly();
        for (Access access :
                List.of(Access.LOCAL_WRITE, Access.REMOTE_WRITE, Access.REMOTE_ATOMIC)) {
            iae(reg, s -> s.pd.regMr(readOnly, access), "memory", "read-only", access.name());
        }
        String allocate = "ProtectionDomain.allocateMr(long, Access[])";
        for (Access access : List.of(Access.REMOTE_WRITE, Access.REMOTE_ATOMIC)) {
            iae(
                    reg,
                    s -> s.pd.regMr(Arena.global().allocate(64), access),
                    "access",
                    access.name(),
                    "LOCAL_WRITE");
            iae(allocate, s -> s.pd.allocateMr(64, access), "access", access.name());
        }
        for (long bytes : new long[] {0, -1, Long.MIN_VALUE}) {
            iae(allocate, s -> s.pd.allocateMr(bytes), "bytes is " + bytes, "max_mr_size");
        }
        String qp = "ProtectionDomain.createQp(QpConfig)";
        for (QpType type : QpType.values()) {
            iae(
                    qp,
                    s -> s.pd.createQp(QpConfig.of(type, s.foreignCq, s.polled)),
                    "sendCq",
                    "protection domain");
            iae(qp, s -> s.pd.createQp(QpConfig.of(type, s.polled, s.foreignCq)), "recvCq");
            iae(
                    qp,
                    s -> s.pd.createQp(config(s, type).withWr(MAX, 1)),
                    "maxSendWr is " + MAX_S,
                    "max_qp_wr");
            iae(qp, s -> s.pd.createQp(config(s, type).withWr(1, MAX)), "maxRecvWr is " + MAX_S);
            iae(
                    qp,
                    s -> s.pd.createQp(config(s, type).withSge(MAX, 1)),
                    "maxSendSge is " + MAX_S,
                    "max_sge");
            iae(qp, s -> s.pd.createQp(config(s, type).withSge(1, MAX)), "maxRecvSge is " + MAX_S);
            iae(
                    qp,
                    s -> s.pd.createQp(config(s, type).withInlineData(MAX)),
                    "maxInlineData is " + MAX_S,
                    "inline data");
        }
        closed(
                qp,
                s -> {
                    CompletionQueue gone = s.f.direct();
                    gone.close();
                    s.pd.createQp(QpConfig.of(QpType.RC, s.polled, gone));
                },
                "cq-",
                "is closed");
        Gid gid = new Gid(1, 2);
        String ah = "ProtectionDomain.createAh(AhAttributes)";
        iae(
                ah,
                s -> s.pd.createAh(new AhAttributes(2, 0, 0, gid, 0, 0, 0, 0)),
                "portNum is 2",
                "phys_port_cnt");
        if (REAL) {
            // Its table of GIDs is longer than the field is wide, and has nothing there.
            errno(
                    ah,
                    s -> s.pd.createAh(new AhAttributes(1, 0, 0, gid, 255, 0, 0, 0)),
                    "ibv_create_ah",
                    "ENODATA",
                    "sgidIndex=255");
        } else {
            iae(
                    ah,
                    s -> s.pd.createAh(new AhAttributes(1, 0, 0, gid, 255, 0, 0, 0)),
                    "sgidIndex is 255",
                    "gid_tbl_len");
        }
    }

    private static void queuePairs() {
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
        BAD.add(
                new Bad(
                        modify,
                        s -> {
                            Throwable e =
                                    catchThrowable(
                                            () ->
                                                    s.rc.a.modify(
                                                            QpAttributes.builder()
                                                                    .qkey(1)
                                                                    .build()));
                            assertThat(e.getMessage())
                                    .as("no change of state was asked for")
                                    .doesNotContain("to RESET");
                            throw (Exception) e;
                        },
                        VerbsException.class,
                        "EINVAL",
                        "in state RTS",
                        "IBV_QP_QKEY"));
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
                    QueuePair qp = s.f.own(s.pd.createQp(config(s, QpType.RC).withWr(2, 2)));
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

    private static void requests() {
        String allocateSend = "SendWorkRequest.allocate(int, int)";
        for (int n : new int[] {0, -1, 1025, MAX, Integer.MIN_VALUE}) {
            iae(allocateSend, s -> SendWorkRequest.allocate(n, 0), "maxSge is " + n, "1 to 1024");
            iae(
                    "RecvWorkRequest.allocate(int)",
                    s -> RecvWorkRequest.allocate(n),
                    "maxSge is " + n,
                    "1 to 1024");
        }
        for (int n : new int[] {-1, 65537, MAX, Integer.MIN_VALUE}) {
            iae(
                    allocateSend,
                    s -> SendWorkRequest.allocate(1, n),
                    "maxInline is " + n,
                    "0 to 65536");
        }
        for (int n : new int[] {0, -1, (1 << 20) + 1, MAX}) {
            iae(
                    "WorkCompletions.allocate(int)",
                    s -> WorkCompletions.allocate(n),
                    "capacity is " + n,
                    "1 to 1048576");
        }
        String to = "SendWorkRequest.to(AddressHandle, int, int)";
        for (int qpn : new int[] {-1, 0x1000000, MAX}) {
            iae(to, s -> s.send.to(s.ah, qpn, 0), "remoteQpn is " + qpn, "24 bits");
        }
        iae(to, s -> s.send.sge(s.otherMr).to(s.ah, 1, 0), "ah-", "pd-");
        closed(
                to,
                s -> {
                    AddressHandle gone = s.f.own(s.pd.createAh(Fixture.addressOf(s.ud.b)));
                    gone.close();
                    try {
                        s.send.to(gone, 1, 0);
                    } finally {
                        // The request does not belong to the handle's protection domain now.
                        s.send.sge(s.otherMr);
                    }
                },
                "ah-",
                "is closed");
        for (String type : List.of("SendWorkRequest", "RecvWorkRequest")) {
            sges(type);
        }
        String inline = "SendWorkRequest.inline(MemorySegment)";
        iae(
                inline,
                s -> s.send.inline(MemorySegment.ofArray(new byte[17])),
                "data.byteSize() is 17",
                "0 to 16");
        iae(inline, s -> unchanged(s, () -> s.send.inline(freed().asSlice(0, 8))), "data", "freed");
        iae(
                inline,
                s -> {
                    MemorySegment elsewhere = s.f.start("other", () -> confined()).get();
                    unchanged(s, () -> s.send.inline(elsewhere.asSlice(0, 8)));
                },
                "data",
                "confined");
        MemorySegment eight = MemorySegment.ofArray(new byte[8]);
        ise(inline, s -> s.send.sge(s.mr).inline(eight), "1 scatter/gather");
        ise(inline, s -> s.send.inline(eight).inline(eight), "already");
        ise(
                "SendWorkRequest.sge(long, int, int)",
                s -> s.send.inline(eight).sge(1L, 2, 3),
                "inline data already");
        ise(
                "SendWorkRequest.sge(MemoryRegion)",
                s -> inlineThenOtherPd(s, eight),
                "scatter/gather entries");
        iae("SendWorkRequest.next(SendWorkRequest)", s -> s.send.next(s.send), "following", "back");
        iae(
                "SendWorkRequest.next(SendWorkRequest)",
                s -> s.send.next(SendWorkRequest.allocate(1, 0).next(s.send)),
                "following");
        iae("RecvWorkRequest.next(RecvWorkRequest)", s -> s.recv.next(s.recv), "following");
        iae(
                "RecvWorkRequest.next(RecvWorkRequest)",
                s -> s.recv.next(RecvWorkRequest.allocate(1).next(s.recv)),
                "following");
    }

    private static void inlineThenOtherPd(Scene s, MemorySegment data) throws Exception {
        SendWorkRequest wr = SendWorkRequest.allocate(2, 16).inline(data);
        Throwable refused = catchThrowable(() -> wr.sge(s.mr));
        assertThat(refused).hasMessageContaining("inline data already");
        // The refused region has not tied the request to its protection domain.
        wr.to(s.otherAh, 1, 1);
        s.send.inline(data).sge(s.mr);
    }

    private static void unchanged(Scene s, Runnable attempt) {
        String before = s.send.toString();
        try {
            attempt.run();
        } finally {
            assertThat(s.send).hasToString(before);
        }
    }

    private interface Sge {
        void add(Scene s, MemoryRegion mr, long offset, int length);
    }

    @SuppressWarnings("restricted") // addresses that are never touched
    private static void sges(String type) {
        boolean send = type.startsWith("Send");
        Sge part =
                (s, mr, offset, length) -> {
                    if (send) {
                        s.send.sge(mr, offset, length);
                    } else {
                        s.recv.sge(mr, offset, length);
                    }
                };
        Sge whole =
                (s, mr, offset, length) -> {
                    if (send) {
                        s.send.sge(mr);
                    } else {
                        s.recv.sge(mr);
                    }
                };
        String partName = type + ".sge(MemoryRegion, long, int)";
        String wholeName = type + ".sge(MemoryRegion)";
        for (long offset : new long[] {-1, 65, Long.MAX_VALUE, Long.MIN_VALUE}) {
            iae(partName, s -> part.add(s, s.mr, offset, 0), "offset is " + offset, "0 to 64");
        }
        for (int length : new int[] {-1, 61, MAX, Integer.MIN_VALUE}) {
            iae(partName, s -> part.add(s, s.mr, 4, length), "length is " + length, "0 to 60");
        }
        for (Sge sge : List.of(part, whole)) {
            String name = sge == part ? partName : wholeName;
            ise(
                    name,
                    s -> {
                        sge.add(s, s.mr, 0, 1);
                        sge.add(s, s.mr, 0, 1);
                    },
                    "1 scatter/gather entries",
                    "room for 1");
            closed(
                    name,
                    s -> {
                        MemoryRegion gone = s.f.mr(64);
                        gone.close();
                        sge.add(s, gone, 0, 1);
                    },
                    "mr[",
                    "is closed");
        }
        if (REAL) {
            // Such a region would have to be there.
            errno(
                    "ProtectionDomain.regMr(MemorySegment, Access[])",
                    s -> s.pd.regMr(MemorySegment.ofAddress(1 << 16).reinterpret(3L << 30)),
                    "ibv_reg_mr",
                    "EFAULT",
                    "3221225472 bytes",
                    "not mapped");
        } else {
            iae(
                    wholeName,
                    s -> {
                        // Never touched: 3 GiB of addresses.
                        MemorySegment huge = MemorySegment.ofAddress(1 << 16).reinterpret(3L << 30);
                        try (MemoryRegion region = s.pd.regMr(huge)) {
                            whole.add(s, region, 0, 0);
                        }
                    },
                    "3221225472",
                    MAX_S);
        }
        ise(
                type + ".sge(long, int, int)",
                s -> {
                    for (int i = 0; i < 2; i++) {
                        if (send) {
                            s.send.sge(1L, 2, 3);
                        } else {
                            s.recv.sge(1L, 2, 3);
                        }
                    }
                },
                "1 scatter/gather entries",
                "room for 1");
        if (send) {
            iae(
                    partName,
                    s -> SendWorkRequest.allocate(2, 0).sge(s.mr).sge(s.otherMr, 0, 1),
                    "mr[",
                    "pd-");
            iae(wholeName, s -> SendWorkRequest.allocate(2, 0).sge(s.mr).sge(s.otherMr), "pd-");
        } else {
            iae(partName, s -> RecvWorkRequest.allocate(2).sge(s.mr).sge(s.otherMr, 0, 1), "pd-");
            iae(wholeName, s -> RecvWorkRequest.allocate(2).sge(s.mr).sge(s.otherMr), "pd-");
        }
    }

    private interface IntSetter {
        void set(QpAttributes.Builder builder, int value);
    }

    private static void range(String name, IntSetter setter, int min, int max) {
        for (int bad : new int[] {min - 1, max + 1, MAX, Integer.MIN_VALUE}) {
            iae(
                    "QpAttributes.Builder." + name + "(int)",
                    s -> setter.set(QpAttributes.builder(), bad),
                    name + " is " + bad,
                    min + " to " + max);
        }
    }

    private static void values() {
        range("rqPsn", QpAttributes.Builder::rqPsn, 0, 0xffffff);
        range("sqPsn", QpAttributes.Builder::sqPsn, 0, 0xffffff);
        range("destQpNum", QpAttributes.Builder::destQpNum, 0, 0xffffff);
        range("pkeyIndex", QpAttributes.Builder::pkeyIndex, 0, 0xffff);
        range("portNum", QpAttributes.Builder::portNum, 1, 255);
        range("maxRdAtomic", QpAttributes.Builder::maxRdAtomic, 0, 255);
        range("maxDestRdAtomic", QpAttributes.Builder::maxDestRdAtomic, 0, 255);
        range("minRnrTimer", QpAttributes.Builder::minRnrTimer, 0, 31);
        range("timeout", QpAttributes.Builder::timeout, 0, 31);
        range("retryCnt", QpAttributes.Builder::retryCnt, 0, 7);
        range("rnrRetry", QpAttributes.Builder::rnrRetry, 0, 7);

        for (int length : new int[] {0, 15, 17}) {
            iae("Gid.of(byte[])", s -> Gid.of(new byte[length]), "bytes.length is " + length, "16");
        }
        iae(
                "QpAttributes.Builder.pathMtu(Mtu)",
                s -> QpAttributes.builder().pathMtu(Mtu.UNKNOWN),
                "pathMtu is UNKNOWN",
                "MTU_256 to MTU_4096");
        String endpoint = "QpEndpoint(int, int, int, Gid)";
        for (int bad : new int[] {-1, 0x1000000}) {
            iae(endpoint, s -> new QpEndpoint(bad, 0, 0, null), "qpNum is " + bad);
            iae(endpoint, s -> new QpEndpoint(0, bad, 0, null), "psn is " + bad);
            iae(endpoint, s -> new QpEndpoint(0, 0, bad, null), "lid is " + bad);
        }
        String ah = "AhAttributes(int, int, int, Gid, int, int, int, int)";
        for (int bad : new int[] {-1, 0x100000, MAX}) {
            iae(ah, s -> new AhAttributes(bad, 0, 0, null, 0, 0, 0, 0), "portNum is " + bad);
            iae(ah, s -> new AhAttributes(1, bad, 0, null, 0, 0, 0, 0), "dlid is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, bad, null, 0, 0, 0, 0), "sl is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, 0, null, bad, 0, 0, 0), "sgidIndex is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, 0, null, 0, bad, 0, 0), "hopLimit is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, 0, null, 0, 0, bad, 0), "trafficClass is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, 0, null, 0, 0, 0, bad), "flowLabel is " + bad);
            iae(
                    "AhAttributes.of(Gid, int)",
                    s -> AhAttributes.of(new Gid(0, 0), bad),
                    "dlid is " + bad);
        }
        String config =
                "QpConfig(QpType, CompletionQueue, CompletionQueue, int, int, int, int, int,"
                        + " boolean)";
        for (int bad : new int[] {0, -1, Integer.MIN_VALUE}) {
            iae(config, s -> config(s, bad, 1, 1, 1, 0), "maxSendWr is " + bad, "at least 1");
            iae(config, s -> config(s, 1, bad, 1, 1, 0), "maxRecvWr is " + bad);
            iae(config, s -> config(s, 1, 1, bad, 1, 0), "maxSendSge is " + bad);
            iae(config, s -> config(s, 1, 1, 1, bad, 0), "maxRecvSge is " + bad);
            iae(
                    "QpConfig.withWr(int, int)",
                    s -> config(s, QpType.RC).withWr(bad, 1),
                    "maxSendWr is " + bad);
            iae(
                    "QpConfig.withSge(int, int)",
                    s -> config(s, QpType.RC).withSge(1, bad),
                    "maxRecvSge is " + bad);
        }
        iae(config, s -> config(s, 1, 1, 1, 1, -1), "maxInlineData is -1", "at least 0");
        iae(
                "QpConfig.withInlineData(int)",
                s -> config(s, QpType.RC).withInlineData(-1),
                "maxInlineData is -1");
        for (Method method : WorkCompletions.class.getMethods()) {
            if (Modifier.isStatic(method.getModifiers())
                    || method.getParameterCount() != 1
                    || method.getParameterTypes()[0] != int.class
                    || method.getDeclaringClass() != WorkCompletions.class) {
                continue;
            }
            for (int index : new int[] {-1, 1, MAX, Integer.MIN_VALUE}) {
                BAD.add(
                        new Bad(
                                name(method),
                                s -> {
                                    WorkCompletions batch = WorkCompletions.allocate(4);
                                    s.rc.message(1, 8);
                                    assertThat(s.direct.await(batch, 2)).isEqualTo(2);
                                    s.rc.recv(2);
                                    batch.size(1);
                                    invoke(method, batch, index);
                                },
                                IndexOutOfBoundsException.class,
                                Integer.toString(index),
                                "1"));
            }
        }
    }

    private static QpConfig config(
            Scene s, int sendWr, int recvWr, int sendSge, int recvSge, int inline) {
        return new QpConfig(
                QpType.RC, s.polled, s.polled, sendWr, recvWr, sendSge, recvSge, inline, false);
    }

    /** Methods with parameters of which every value is good, null aside. */
    private static final Set<String> ANYTHING_GOES =
            Set.of(
                    "CompletionQueue.poll(WorkCompletions)",
                    "Gid(long, long)",
                    "QpAttributes.Builder.access(Access[])",
                    "QpAttributes.Builder.address(AhAttributes)",
                    "QpAttributes.Builder.curState(QpState)",
                    "QpAttributes.Builder.enSqdAsyncNotify(boolean)",
                    "QpAttributes.Builder.qkey(int)",
                    "QpAttributes.Builder.state(QpState)",
                    "QpConfig.of(QpType, CompletionQueue)",
                    "QpConfig.of(QpType, CompletionQueue, CompletionQueue)",
                    "QpConfig.withSqSigAll(boolean)",
                    "RecvWorkRequest.wrId(long)",
                    "SendWorkRequest.compareAndSwap(long, int, long, long)",
                    "SendWorkRequest.fetchAndAdd(long, int, long)",
                    "SendWorkRequest.rdmaRead(long, int)",
                    "SendWorkRequest.rdmaWrite(long, int)",
                    "SendWorkRequest.rdmaWriteWithImm(long, int, int)",
                    "SendWorkRequest.sendWithImm(int)",
                    "SendWorkRequest.wrId(long)");

    /** Records that only the library makes: what it reports, not what it is told. */
    private static final Set<Class<?>> REPORTS =
            Set.of(DeviceAttributes.class, PortAttributes.class, WorkCompletion.class);

    // --- what is public ---

    /** Every public method and constructor of the API that its own code makes what it is. */
    private static Map<String, Executable> api() {
        Map<String, Executable> all = new TreeMap<>();
        for (Class<?> type : PublicApi.types()) {
            Stream.concat(Stream.of(type.getConstructors()), Stream.of(type.getDeclaredMethods()))
                    .filter(e -> Modifier.isPublic(e.getModifiers()) && !e.isSynthetic())
                    .filter(e -> !isOfTheLanguage(type, e))
                    .forEach(e -> all.put(name(e), e));
        }
        return all;
    }

    private static boolean isOfTheLanguage(Class<?> type, Executable e) {
        return e.getName().equals("toString")
                || (type.isEnum() && Set.of("values", "valueOf").contains(e.getName()))
                || (type.isRecord() && Set.of("equals", "hashCode").contains(e.getName()))
                || (REPORTS.contains(type) && e instanceof Constructor)
                || (type.isInterface() && Modifier.isAbstract(e.getModifiers()));
    }

    static String name(Executable e) {
        String type = e.getDeclaringClass().getCanonicalName().replace("io.loomverbs.", "");
        String method = e instanceof Constructor ? "" : "." + e.getName();
        return type
                + method
                + Stream.of(e.getParameterTypes())
                        .map(Class::getSimpleName)
                        .collect(Collectors.joining(", ", "(", ")"));
    }

    static Object invoke(Executable e, Object target, Object... arguments) throws Exception {
        try {
            return e instanceof Method m
                    ? m.invoke(target, arguments)
                    : ((Constructor<?>) e).newInstance(arguments);
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw new AssertionError("an error came out of " + e, thrown.getCause());
        }
    }

    // --- the tests ---

    static List<Bad> bad() {
        return BAD;
    }

    /** Bad input is refused with an exception that says what is wrong, and changes nothing. */
    @ParameterizedTest
    @MethodSource
    void bad(Bad bad) throws Exception {
        try (Scene scene = new Scene()) {
            Throwable thrown = catchThrowable(() -> bad.attempt.on(scene));
            assertThat(thrown).isInstanceOf(bad.exception);
            for (String part : bad.message) {
                assertThat(thrown).hasMessageContaining(part);
            }
        }
    }

    /** Every method that takes something is tried with something bad, or said to take anything. */
    @Test
    void everyMethodIsTriedWithBadInput() {
        Set<String> expected =
                api().entrySet().stream()
                        .filter(e -> e.getValue().getParameterCount() > 0)
                        .map(Map.Entry::getKey)
                        .collect(Collectors.toCollection(TreeSet::new));
        Set<String> tried = BAD.stream().map(Bad::method).collect(Collectors.toSet());
        Set<String> known = new TreeSet<>(tried);
        known.addAll(ANYTHING_GOES);
        assertThat(known).as("entries of methods that do not exist").isSubsetOf(api().keySet());
        assertThat(known).as("methods without an entry").containsAll(expected);
        assertThat(tried).doesNotContainAnyElementsOf(ANYTHING_GOES);
    }

    /** Null is refused for every reference that is not marked as nullable, by its name. */
    @Test
    void nullIsRefusedEverywhere() throws Exception {
        Set<String> tried = new HashSet<>();
        try (Scene scene = new Scene()) {
            Samples samples = new Samples(scene);
            for (Map.Entry<String, Executable> entry : api().entrySet()) {
                Executable e = entry.getValue();
                Parameter[] parameters = e.getParameters();
                for (int i = 0; i < parameters.length; i++) {
                    Class<?> type = parameters[i].getType();
                    if (type.isPrimitive() || isNullable(parameters[i])) {
                        continue;
                    }
                    Object[] arguments = samples.arguments(e);
                    arguments[i] = null;
                    refusesNull(entry.getKey() + " #" + i, e, samples.receiver(e), arguments);
                    if (type.isArray() && !type.getComponentType().isPrimitive()) {
                        arguments[i] = Array.newInstance(type.getComponentType(), 2);
                        refusesNull(entry.getKey() + "[]", e, samples.receiver(e), arguments);
                    }
                    tried.add(entry.getKey());
                }
            }
        }
        assertThat(tried).hasSizeGreaterThan(25);
    }

    private static boolean isNullable(Parameter parameter) {
        return parameter
                .getAnnotatedType()
                .isAnnotationPresent(org.jspecify.annotations.Nullable.class);
    }

    private static void refusesNull(String what, Executable e, Object target, Object[] arguments) {
        assertThat(catchThrowable(() -> invoke(e, target, arguments)))
                .as(what)
                .isExactlyInstanceOf(NullPointerException.class)
                .message()
                .matches("[a-zA-Z]+(\\[\\d+])? is null");
    }

    /** What a method does once its object is closed. */
    private enum After {
        /** ClosedException. */
        CLOSED,
        /** What it did before: it only reads what does not change. */
        HARMLESS,
        /** Nothing, however often. */
        NOTHING,
        /** IllegalStateException for a reason of its own. */
        STATE
    }

    private static final Map<String, After> AFTER_CLOSE =
            Map.ofEntries(
                    entry("AddressHandle.close()", After.NOTHING),
                    entry("AddressHandle.pd()", After.HARMLESS),
                    entry("AsyncEvent.close()", After.NOTHING),
                    entry("AsyncEvent.cq()", After.HARMLESS),
                    entry("AsyncEvent.port()", After.HARMLESS),
                    entry("AsyncEvent.qp()", After.HARMLESS),
                    entry("AsyncEvent.type()", After.HARMLESS),
                    entry("CompletionChannel.close()", After.NOTHING),
                    entry("CompletionChannel.context()", After.HARMLESS),
                    entry("CompletionChannel.fd()", After.CLOSED),
                    entry("CompletionChannel.getCqEvent()", After.CLOSED),
                    entry("CompletionChannel.getCqEvent(Duration)", After.CLOSED),
                    entry("CompletionChannel.tryGetCqEvent()", After.CLOSED),
                    entry("CompletionQueue.ackEvents(int)", After.STATE),
                    entry("CompletionQueue.await(WorkCompletions)", After.CLOSED),
                    entry("CompletionQueue.await(WorkCompletions, int)", After.CLOSED),
                    entry("CompletionQueue.await(WorkCompletions, int, Duration)", After.CLOSED),
                    entry("CompletionQueue.channel()", After.HARMLESS),
                    entry("CompletionQueue.close()", After.NOTHING),
                    entry("CompletionQueue.close(Duration)", After.NOTHING),
                    entry("CompletionQueue.compVector()", After.HARMLESS),
                    entry("CompletionQueue.context()", After.HARMLESS),
                    entry("CompletionQueue.cqContext()", After.HARMLESS),
                    entry("CompletionQueue.cqe()", After.HARMLESS),
                    entry("CompletionQueue.getCqEvent()", After.CLOSED),
                    entry("CompletionQueue.getCqEvent(Duration)", After.CLOSED),
                    entry("CompletionQueue.isDirect()", After.HARMLESS),
                    entry("CompletionQueue.poll(WorkCompletions)", After.CLOSED),
                    entry("CompletionQueue.reqNotify(boolean)", After.CLOSED),
                    entry("CompletionQueue.resize(int)", After.CLOSED),
                    entry("CompletionQueue.serve(CompletionHandler)", After.CLOSED),
                    entry("CompletionQueue.tryGetCqEvent()", After.CLOSED),
                    entry("CompletionQueue.unackedEvents()", After.HARMLESS),
                    entry("Context.allocPd()", After.CLOSED),
                    entry("Context.attributes()", After.HARMLESS),
                    entry("Context.close()", After.NOTHING),
                    entry("Context.createCompChannel()", After.CLOSED),
                    entry("Context.createCq(int, Object, CompletionChannel, int)", After.CLOSED),
                    entry("Context.createDirectCq(int)", After.CLOSED),
                    entry(
                            "Context.createDirectCq(int, Object, CompletionChannel, int)",
                            After.CLOSED),
                    entry("Context.device()", After.HARMLESS),
                    entry("Context.getAsyncEvent()", After.CLOSED),
                    entry("Context.getAsyncEvent(Duration)", After.CLOSED),
                    entry("Context.gid(int, int)", After.CLOSED),
                    entry("Context.numCompVectors()", After.HARMLESS),
                    entry("Context.port(int)", After.CLOSED),
                    entry("CqEvent.close()", After.NOTHING),
                    entry("CqEvent.cq()", After.HARMLESS),
                    entry("CqEvent.cqContext()", After.HARMLESS),
                    entry("MemoryRegion.access()", After.HARMLESS),
                    entry("MemoryRegion.address()", After.HARMLESS),
                    entry("MemoryRegion.close()", After.NOTHING),
                    entry("MemoryRegion.length()", After.HARMLESS),
                    entry("MemoryRegion.lkey()", After.HARMLESS),
                    entry("MemoryRegion.memory()", After.HARMLESS),
                    entry("MemoryRegion.pd()", After.HARMLESS),
                    entry("MemoryRegion.rkey()", After.HARMLESS),
                    entry("ProtectionDomain.allocateMr(long, Access[])", After.CLOSED),
                    entry("ProtectionDomain.close()", After.NOTHING),
                    entry("ProtectionDomain.context()", After.HARMLESS),
                    entry("ProtectionDomain.createAh(AhAttributes)", After.CLOSED),
                    entry("ProtectionDomain.createQp(QpConfig)", After.CLOSED),
                    entry("ProtectionDomain.regMr(MemorySegment, Access[])", After.CLOSED),
                    entry("QueuePair.activate(int)", After.CLOSED),
                    entry("QueuePair.close()", After.NOTHING),
                    entry("QueuePair.config()", After.HARMLESS),
                    entry("QueuePair.connect(QpEndpoint)", After.CLOSED),
                    entry("QueuePair.connect(QpEndpoint, QpAttributes)", After.CLOSED),
                    entry("QueuePair.endpoint()", After.HARMLESS),
                    entry("QueuePair.modify(QpAttributes)", After.CLOSED),
                    entry("QueuePair.pd()", After.HARMLESS),
                    entry("QueuePair.postRecv(RecvWorkRequest)", After.CLOSED),
                    entry("QueuePair.postSend(SendWorkRequest)", After.CLOSED),
                    entry("QueuePair.qpNum()", After.HARMLESS),
                    entry("QueuePair.query()", After.CLOSED),
                    entry("QueuePair.recvCq()", After.HARMLESS),
                    entry("QueuePair.sendCq()", After.HARMLESS),
                    entry("QueuePair.state()", After.CLOSED),
                    entry("QueuePair.type()", After.HARMLESS));

    private static Map<String, Executable> methodsOfWhatCanBeClosed() {
        Map<String, Executable> methods = new LinkedHashMap<>(api());
        methods.values()
                .removeIf(
                        e ->
                                !AutoCloseable.class.isAssignableFrom(e.getDeclaringClass())
                                        || Modifier.isStatic(e.getModifiers()));
        return methods;
    }

    /** Every method of everything that can be closed has an entry that says what it does then. */
    @Test
    void everyMethodIsTriedAfterClose() {
        assertThat(AFTER_CLOSE.keySet())
                .containsExactlyInAnyOrderElementsOf(methodsOfWhatCanBeClosed().keySet());
    }

    static Set<String> afterClose() {
        return new TreeSet<>(AFTER_CLOSE.keySet());
    }

    /** After close each method does what its entry says, and what it says of itself still works. */
    @ParameterizedTest
    @MethodSource
    void afterClose(String name) throws Exception {
        Executable method = methodsOfWhatCanBeClosed().get(name);
        try (Scene scene = new Scene()) {
            Samples samples = new Samples(scene);
            AutoCloseable target = samples.closable(method.getDeclaringClass(), name);
            Object before = AFTER_CLOSE.get(name) == After.HARMLESS ? invoke(method, target) : null;
            String text = target.toString();
            target.close();
            Object[] arguments = samples.arguments(method);

            Throwable thrown = null;
            Object result = null;
            for (int i = 0; i < 2; i++) {
                try {
                    result = invoke(method, target, arguments);
                } catch (Exception e) {
                    thrown = e;
                }
            }

            switch (AFTER_CLOSE.get(name)) {
                case CLOSED ->
                        assertThat(thrown)
                                .isExactlyInstanceOf(ClosedException.class)
                                .hasMessage(text + " is closed");
                case STATE ->
                        assertThat(thrown)
                                .isExactlyInstanceOf(IllegalStateException.class)
                                .hasMessageContaining(text);
                case NOTHING -> assertThat(thrown).isNull();
                case HARMLESS -> {
                    assertThat(thrown).isNull();
                    assertThat(result).isEqualTo(before);
                }
            }
            if (!(target instanceof CqEvent)) {
                assertThat(target).hasToString(text);
            }
        }
    }

    /** Something of each type that a method of the API takes or belongs to. */
    private static final class Samples {
        private final Scene s;

        Samples(Scene s) {
            this.s = s;
        }

        Object[] arguments(Executable e) {
            Object[] arguments =
                    Stream.of(e.getParameters())
                            .map(p -> isNullable(p) ? null : argument(p.getType()))
                            .toArray();
            if (arguments.length == 4 && e.getName().matches("create(Direct)?Cq")) {
                arguments[3] = 0; // not every device has a second completion vector
            }
            return arguments;
        }

        Object receiver(Executable e) {
            return e instanceof Constructor || Modifier.isStatic(e.getModifiers())
                    ? null
                    : argument(e.getDeclaringClass());
        }

        private Object argument(Class<?> type) {
            if (type == int.class) {
                return 1;
            } else if (type == long.class) {
                return 64L;
            } else if (type == boolean.class) {
                return true;
            } else if (type == byte[].class) {
                return new byte[16];
            } else if (type == Access[].class) {
                return new Access[] {Access.LOCAL_WRITE};
            } else if (type.isEnum()) {
                return type.getEnumConstants()[0];
            }
            return List.of(
                            s.context,
                            s.context.device(),
                            s.pd,
                            s.direct,
                            s.reset,
                            s.mr,
                            s.ah,
                            s.channel,
                            s.send,
                            s.recv,
                            "soft0",
                            Duration.ZERO,
                            new Gid(1, 2),
                            s.rc.b.endpoint(),
                            config(s, QpType.RC),
                            QpAttributes.builder(),
                            QpAttributes.builder().state(QpState.INIT).build(),
                            Fixture.addressOf(s.ud.b),
                            WorkCompletions.allocate(4),
                            (CompletionHandler) batch -> {},
                            Arena.global().allocate(64))
                    .stream()
                    .filter(type::isInstance)
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no sample of " + type));
        }

        /** An object that can be closed now, and nothing but the test uses. */
        AutoCloseable closable(Class<?> type, String method) throws Exception {
            if (type == Context.class) {
                return s.f.own(s.context.device().open());
            } else if (type == CompletionChannel.class) {
                return s.f.channel();
            } else if (type == CompletionQueue.class) {
                return s.f.direct();
            } else if (type == ProtectionDomain.class) {
                return s.f.own(s.context.allocPd());
            } else if (type == QueuePair.class) {
                QpType qpType = method.contains("activate") ? QpType.UD : QpType.RC;
                return s.f.own(s.pd.createQp(config(s, qpType)));
            } else if (type == MemoryRegion.class) {
                return s.f.mr(64);
            } else if (type == AddressHandle.class) {
                return s.f.own(s.pd.createAh(Fixture.addressOf(s.ud.b)));
            } else if (type == CqEvent.class) {
                CompletionQueue cq = s.f.direct();
                Fixture.Source source = s.f.source(cq);
                cq.reqNotify(false);
                source.complete(1);
                return cq.getCqEvent(Fixture.PATIENCE);
            } else if (type == AsyncEvent.class) {
                CompletionQueue cq = s.f.own(s.context.createDirectCq(1));
                Fixture.Source source = s.f.source(cq);
                for (int i = 0; i <= cq.cqe(); i++) {
                    source.complete(i);
                }
                return s.context.getAsyncEvent(Fixture.PATIENCE);
            }
            throw new AssertionError("no sample of " + type);
        }
    }
}
