package io.loomverbs.project;

import io.loomverbs.Access;
import io.loomverbs.AsyncEvent;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionHandler;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.ExtendedDeviceAttributes;
import io.loomverbs.FailurePolicy;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MemoryWindow;
import io.loomverbs.MrChanges;
import io.loomverbs.MwType;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Serving;
import io.loomverbs.Verbs;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.WorkCompletions;
import io.loomverbs.api.FailingRegions;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.Pending;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.RequestFailedException;
import io.loomverbs.blocking.RequestTimeoutException;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;
import io.loomverbs.management.VerbsManagement;
import io.loomverbs.support.ChildJvm;
import io.loomverbs.support.Fixture;
import io.loomverbs.testkit.Faults;
import io.loomverbs.testkit.Leaks;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/** Does what the library refuses, and collects what it says. */
final class Provocations {
    private static final Duration SOON = Duration.ofMillis(50);
    private static final InetSocketAddress SERVER = new InetSocketAddress("10.0.0.1", 4791);

    /** Something that a program should not do. */
    private interface Mistake {
        void make() throws Exception;
    }

    private final List<String> messages = new ArrayList<>();

    private Provocations() {}

    /** The message of each exception, and each failed completion as text. */
    static List<String> messages() throws Exception {
        Provocations all = new Provocations();
        all.opening();
        all.inFixture(all::memory);
        all.inFixture(all::queuePairs);
        all.inFixture(all::posting);
        all.inFixture(all::statuses);
        all.inFixture(all::events);
        all.inFixture(all::closing);
        all.inFixture(all::blocking);
        all.inFixture(all::connections);
        all.inFixture(all::tools);
        all.messages.addAll(RepackagedTest.messages());
        all.command("storm", "--cqs", "0");
        all.command("devinfo", "--device", "mlx5_9");
        return all.messages;
    }

    private interface Part {
        void provoke(Fixture f) throws Exception;
    }

    @SuppressWarnings("try") // its close may be interrupted
    private void inFixture(Part part) throws Exception {
        try (Fixture f = new Fixture()) {
            part.provoke(f);
        }
    }

    private void provoke(Mistake mistake) {
        try {
            mistake.make();
        } catch (Exception | AssertionError e) {
            messages.add(String.valueOf(e.getMessage()));
            return;
        }
        throw new AssertionError("nothing was refused after " + messages);
    }

    private void opening() {
        provoke(() -> Verbs.device(null));
        provoke(() -> Verbs.device("mlx5_9"));
        String property = "loomverbs.pollers";
        System.setProperty(property, "0");
        try {
            provoke(() -> Verbs.device("soft0").open());
        } finally {
            System.clearProperty(property);
        }
        Context context = Verbs.device("soft0").open();
        provoke(() -> context.port(2));
        provoke(() -> context.createCq(0, null, null, 0));
        provoke(() -> context.createDirectCq(1, null, null, 99_999));
        context.close();
        provoke(context::allocPd);
    }

    private void memory(Fixture f) {
        provoke(() -> f.pd.regMr(MemorySegment.ofArray(new byte[8])));
        try (Arena arena = Arena.ofConfined()) {
            provoke(() -> f.pd.regMr(arena.allocate(8)));
        }
        provoke(() -> f.pd.allocateMr(8, Access.REMOTE_WRITE));
        provoke(() -> f.pd.allocateMr(0));
        provoke(() -> f.pd.allocateMr(1L << 50));
        Fixture.Pair pair = f.pair(f.polled(), f.polled());
        MemoryRegion mr = f.own(f.pd.allocateMr(8, Access.MW_BIND));
        MemoryWindow mw = f.own(f.pd.allocMw(MwType.TYPE_1));
        pair.a.bindMw(mw, 1, mr, 0, 8);
        Fixture.pollOne(pair.a.sendCq());
        provoke(mr::close);
        provoke(() -> SendWorkRequest.allocate(1, 0).bindMw(mw, 1, mr, 0, 8));
        try (Context strict = Verbs.device("strict0").open();
                ProtectionDomain pd = strict.allocPd()) {
            provoke(() -> pd.regMr(Arena.ofAuto().allocate(8), Access.ON_DEMAND));
        }
        lostRegion();
    }

    @SuppressWarnings("try") // its close is what is tried
    private void lostRegion() {
        try (Context context = Opened.open(new FailingRegions());
                ProtectionDomain pd = context.allocPd();
                MemoryRegion mr = pd.allocateMr(8)) {
            MrChanges changes = MrChanges.of().withAccess();
            provoke(() -> mr.rereg(changes));
            provoke(() -> mr.rereg(changes));
            provoke(() -> Faults.of(context));
        }
    }

    private void queuePairs(Fixture f) throws Exception {
        CompletionQueue cq = f.polled();
        provoke(() -> f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(1 << 30, 1)));
        try (Context other = Verbs.device("soft0").open();
                CompletionQueue foreign = other.createDirectCq(1)) {
            provoke(() -> f.pd.createQp(QpConfig.of(QpType.RC, foreign)));
        }
        QueuePair rc = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq)));
        QueuePair ud = f.own(f.pd.createQp(QpConfig.of(QpType.UD, cq)));
        QpEndpoint peer = rc.endpoint();
        provoke(() -> ud.connect(peer));
        provoke(() -> rc.activate(1));
        provoke(() -> rc.modify(QpAttributes.builder().state(QpState.RTS).build()));
        provoke(() -> QpEndpoint.parse("10.0.0.1:4791"));
        rc.connect(peer);
        provoke(() -> rc.connect(peer));
    }

    private void posting(Fixture f) {
        CompletionQueue cq = f.polled();
        QueuePair qp =
                f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(1, 1).withInlineData(0)));
        MemoryRegion mr = f.mr(64);
        RecvWorkRequest receive = RecvWorkRequest.allocate(1).sge(mr);
        SendWorkRequest send = SendWorkRequest.allocate(1, 0).send().sge(mr);
        provoke(() -> qp.postRecv(receive));
        provoke(() -> qp.postSend(send));
        qp.init();
        provoke(() -> qp.postSend(send));
        qp.connect(qp.endpoint());
        qp.postRecv(receive);
        provoke(
                () -> {
                    for (int i = 0; i < 1_000; i++) {
                        qp.postRecv(receive);
                    }
                });
        provoke(() -> SendWorkRequest.allocate(1, 0).send().sge(mr, 0, 1).sge(mr, 1, 1));
        SendWorkRequest ring = SendWorkRequest.allocate(1, 8);
        provoke(() -> ring.next(ring));
        MemorySegment data = MemorySegment.ofArray(new byte[8]);
        provoke(() -> SendWorkRequest.allocate(1, 8).inline(data).sge(mr));
        provoke(() -> SendWorkRequest.allocate(1, 8).sge(mr).inline(data));
        QueuePair receiver = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(0, 1)));
        provoke(() -> receiver.postSend(send));
        ProtectionDomain other = f.own(f.context.allocPd());
        MemoryRegion foreign = f.own(other.allocateMr(8));
        provoke(() -> qp.postSend(SendWorkRequest.allocate(1, 0).send().sge(foreign)));
    }

    private void statuses(Fixture f) {
        status(f, wr -> wr.rdmaWrite(1, 99), Access.REMOTE_WRITE);
        status(f, wr -> wr.rdmaRead(1, 99));
        status(f, SendWorkRequest::send);
        Fixture.Pair gone = f.pair(f.polled(), f.polled());
        gone.b.close();
        gone.a.postSend(gone.send(1, 0));
        messages.add(Fixture.pollOne(gone.a.sendCq()).toString());
        Fixture.Pair tooLong = f.pair(f.polled(), f.polled());
        tooLong.b.postRecv(RecvWorkRequest.allocate(1).sge(tooLong.bMemory, 0, 1));
        tooLong.a.postSend(tooLong.send(1, 64));
        messages.add(Fixture.pollOne(tooLong.b.recvCq()).toString());
        Fixture.Pair closed = f.pair(f.polled(), f.polled());
        closed.recv(1);
        SendWorkRequest wr = closed.send(1, 8);
        closed.aMemory.close();
        closed.a.postSend(wr);
        messages.add(Fixture.pollOne(closed.a.sendCq()).toString());
        Fixture.Pair flushed = f.pair(f.polled(), f.polled());
        flushed.recv(1);
        flushed.b.modify(QpAttributes.builder().state(QpState.ERR).build());
        messages.add(Fixture.pollOne(flushed.b.recvCq()).toString());
    }

    /** What becomes of a request to a peer that grants {@code access} and has no receive. */
    private void status(Fixture f, UnaryOperator<SendWorkRequest> request, Access... access) {
        CompletionQueue cq = f.polled();
        QpConfig config = QpConfig.of(QpType.RC, cq);
        QueuePair a = f.own(f.pd.createQp(config));
        QueuePair b = f.own(f.pd.createQp(config));
        QpAttributes impatient = QpAttributes.builder().rnrRetry(0).access(access).build();
        a.connect(b.endpoint(), impatient);
        b.connect(a.endpoint(), impatient);
        SendWorkRequest wr = SendWorkRequest.allocate(1, 0).sge(f.mr(8)).signaled();
        a.postSend(request.apply(wr));
        WorkCompletion failed = Fixture.pollOne(cq);
        messages.add(failed.toString());
    }

    private void events(Fixture f) throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue polled = f.polled();
        CompletionQueue onChannel = f.on(channel);
        CompletionQueue direct = f.direct();
        provoke(() -> direct.ackEvents(1));
        provoke(() -> polled.reqNotify(false));
        provoke(() -> polled.getCqEvent());
        provoke(() -> onChannel.getCqEvent());
        try (var _ = direct.serve("orders", batch -> {})) {
            provoke(() -> direct.getCqEvent(SOON));
            provoke(() -> direct.serve("others", batch -> {}));
        }
        try (var _ = channel.serve((cq, batch) -> {}, 1)) {
            provoke(() -> channel.getCqEvent(SOON));
        }
        CompletionQueue plain = f.direct();
        f.source(plain).complete(1);
        WorkCompletions batch = WorkCompletions.allocate(1);
        plain.await(batch);
        provoke(() -> batch.timestamp(0));
        f.source(direct).complete(1);
        CompletionHandler failing =
                _ -> {
                    throw new IOException("a handler that fails");
                };
        provoke(() -> Serving.of(direct, failing, FailurePolicy.STOP).run());
        provoke(() -> new ExtendedDeviceAttributes(0, 0, 0, 0, 0, 0, 0, 0, 0).nanos(1, 2));
        CompletionQueue small = f.direct();
        Faults.of(f.context).overrun(small);
        AsyncEvent overrun = f.context.getAsyncEvent();
        provoke(small::close);
        overrun.close();
        provoke(() -> small.getCqEvent());
        provoke(() -> small.poll(WorkCompletions.allocate(1)));
    }

    private void closing(Fixture f) throws Exception {
        CompletionQueue cq = f.direct();
        QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq)));
        provoke(cq::close);
        qp.close();
        CompletionQueue held = f.direct();
        Fixture.Source source = f.source(held);
        held.reqNotify(false);
        source.complete(1);
        CqEvent event = held.getCqEvent();
        source.close();
        provoke(() -> held.close(SOON));
        provoke(held::close);
        event.close();
        held.close();
        provoke(() -> held.reqNotify(false));
    }

    private void blocking(Fixture f) throws Exception {
        CompletionQueue polled = f.polled();
        QueuePair unfit = f.own(f.pd.createQp(QpConfig.of(QpType.RC, polled)));
        provoke(() -> Requests.over(unfit));
        BufferPool pool = BufferPool.of(f.pd, 64, 2);
        Buffer taken = pool.take();
        provoke(pool::close);
        Fixture.Pair pair = f.pair(f.direct(), f.direct());
        Requests requests = Requests.over(pair.a, RequestsConfig.of().withTimeout(SOON));
        provoke(() -> requests.receive());
        provoke(() -> Requests.over(pair.a));
        provoke(() -> requests.send(taken));
        try {
            requests.fetchAdd(RemoteRegion.of(pair.bMemory).slice(0, 8), 1); // behind the send
        } catch (RequestTimeoutException e) {
            provoke(() -> e.request().previousValue());
        }
        Fixture.Pair stuck = f.pair(f.direct(), f.direct());
        RequestsConfig narrow = RequestsConfig.of().withSends(1).withTimeout(SOON);
        try (Requests full = Requests.over(stuck.a, narrow)) {
            full.startSend(taken);
            provoke(() -> full.send(taken));
        }
        Fixture.Pair served = f.pair(f.direct(), f.direct());
        RequestsConfig receiving = RequestsConfig.of().withReceives(1, pool).withTimeout(SOON);
        try (Requests one = Requests.over(served.a);
                Requests other = Requests.over(served.b, receiving)) {
            provoke(() -> other.receive());
            Pending sent = one.startSend(taken);
            sent.await();
            provoke(sent::previousValue);
            try (Message message = other.receive()) {
                provoke(message::imm);
            }
        }
        RemoteRegion odd = new RemoteRegion(4097, 1, 8);
        try (Requests adding = Requests.over(f.pair(f.direct(), f.direct()).a)) {
            provoke(() -> adding.fetchAdd(odd, 1));
        }
        Fixture.Pair reset = f.pair(f.direct(), f.direct());
        try (Requests left = Requests.over(reset.a)) {
            Pending sent = left.startSend(taken);
            reset.a.modify(QpAttributes.builder().state(QpState.RESET).build());
            try {
                sent.await();
            } catch (RequestFailedException e) {
                messages.add(String.valueOf(e.getCause().getMessage()));
            }
        }
        CompletionQueue shared = f.direct();
        Fixture.Pair watched = f.pair(shared, f.direct());
        try (Requests robbed = Requests.over(watched.a)) {
            Pending read = robbed.startRead(RemoteRegion.of(watched.bMemory).slice(0, 8), taken);
            Fixture.eventually("polled", () -> shared.poll(WorkCompletions.allocate(1)) > 0);
            try {
                read.await();
            } catch (RequestFailedException e) {
                messages.add(String.valueOf(e.getCause().getMessage()));
            }
        }
        Fixture.Pair broken = f.pair(f.direct(), f.direct());
        try (Requests failing = Requests.over(broken.a)) {
            Faults.of(f.context).failSend(broken.a, 1, WcStatus.REM_OP_ERR);
            Buffer another = pool.take();
            provoke(() -> failing.send(another));
            another.close();
        }
        requests.close();
        provoke(() -> requests.send(taken));
        taken.close();
        pool.close();
    }

    private void connections(Fixture f) throws Exception {
        ConnectionManager cm = ConnectionManager.of(Verbs.device("soft0"));
        provoke(
                () ->
                        cm.resolve(
                                InetSocketAddress.createUnresolved("no.such.host.invalid", 1),
                                SOON));
        provoke(() -> cm.resolve(SERVER, Duration.ofSeconds(-1)));
        CompletionQueue cq = f.direct();
        QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq)));
        try (RdmaRoute route = cm.resolve(SERVER, SOON)) {
            provoke(() -> route.connect(qp, SOON));
            provoke(() -> route.connect(qp, SOON));
        }
        try (RdmaListener listener = cm.listen(SERVER);
                RdmaRoute route = cm.resolve(SERVER, SOON)) {
            provoke(() -> cm.listen(listener.localAddress()));
            QueuePair second = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq)));
            provoke(() -> route.connect(second, SOON));
        }
    }

    @SuppressWarnings("try") // its close may be interrupted
    private void tools(Fixture f) throws Exception {
        QueuePair fresh = f.own(f.pd.createQp(QpConfig.of(QpType.RC, f.polled())));
        provoke(() -> Faults.of(f.context).kill(fresh, WcStatus.RETRY_EXC_ERR));
        Leaks leaks = Leaks.watch();
        try (ProtectionDomain _ = f.context.allocPd()) {
            provoke(leaks::check);
        }
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        List<ObjectName> others = new ArrayList<>();
        for (int copy = 1; copy <= 1_000; copy++) {
            String name = "io.loomverbs:type=Verbs" + (copy == 1 ? "" : ",copy=" + copy);
            Runnable nothing = () -> {};
            StandardMBean bean = new StandardMBean(nothing, Runnable.class);
            others.add(server.registerMBean(bean, new ObjectName(name)).getObjectName());
        }
        provoke(VerbsManagement::register);
        for (ObjectName other : others) {
            server.unregisterMBean(other);
        }
    }

    /** What a command says on its first line. */
    private void command(String... words) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                ChildJvm.NATIVE_ACCESS,
                                "-cp",
                                System.getProperty("java.class.path"),
                                "io.loomverbs.tools.Main"));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (BufferedReader output = process.inputReader()) {
            messages.add(output.readLine());
        } finally {
            process.destroyForcibly();
        }
    }
}
