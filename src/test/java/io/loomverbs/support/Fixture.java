package io.loomverbs.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Gid;
import io.loomverbs.GidEntry;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletion;
import io.loomverbs.WorkCompletions;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * A context with what most tests need, threads whose failures are not lost, and waits that end.
 * Closing it joins the threads, closes whatever the test has left open, and fails if the context
 * then says that something is left.
 */
@SuppressWarnings("try") // joins threads, which may be interrupted
public final class Fixture implements AutoCloseable {
    /** The device that the tests of the public API run on. */
    public static final String DEVICE = System.getProperty("loomverbs.device", "soft0");

    public static final Duration PATIENCE = Duration.ofSeconds(20);

    /** How long nothing must happen before a test believes that nothing will. */
    public static final Duration QUIET = Duration.ofMillis(20);

    private static final Access[] ANYTHING = {
        Access.LOCAL_WRITE, Access.REMOTE_WRITE, Access.REMOTE_READ, Access.REMOTE_ATOMIC
    };

    public static final int QKEY = 0x1111_1111;
    public static final int BUFFER = 8192;

    public final Context context = Verbs.device(DEVICE).open();
    public final ProtectionDomain pd;
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();
    private final List<Task<?>> tasks = new ArrayList<>();

    public Fixture() {
        pd = own(context.allocPd());
    }

    /** Everything that may be done, here and by a peer. */
    public static Access[] anything() {
        return ANYTHING.clone();
    }

    /** Has {@code object} closed with the fixture, before what was owned earlier. */
    public <T extends AutoCloseable> T own(T object) {
        synchronized (owned) { // from threads of the test, too
            owned.push(object);
        }
        return object;
    }

    /** An address of the device, for its connection manager. */
    public static InetAddress host() {
        return Host.ADDRESS;
    }

    /** One of IPv6: on a real device the link-local one of the same interface, with its scope. */
    public static InetAddress hostOfIpv6() {
        if (Differences.EMBEDDED) {
            return InetAddress.ofLiteral("fd00::1");
        }
        try {
            return NetworkInterface.getByInetAddress(host())
                    .inetAddresses()
                    .filter(Inet6Address.class::isInstance)
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(DEVICE + " has no IPv6 address"));
        } catch (SocketException e) {
            throw new AssertionError(e);
        }
    }

    private static final class Host {
        private static final InetAddress ADDRESS = find();

        private static InetAddress find() {
            if (Differences.EMBEDDED) {
                return InetAddress.ofLiteral("10.99.0.1");
            }
            try (Context context = Verbs.device(DEVICE).open()) {
                for (GidEntry entry : context.gids(1)) {
                    Gid gid = entry.gid();
                    if (gid.subnetPrefix() == 0 && gid.interfaceId() >>> 32 == 0xffff) {
                        return ofIpv4((int) gid.interfaceId());
                    }
                }
            }
            throw new AssertionError(DEVICE + " has no IPv4 address");
        }

        private static InetAddress ofIpv4(int address) {
            try {
                return InetAddress.getByAddress(
                        ByteBuffer.allocate(Integer.BYTES).putInt(address).array());
            } catch (UnknownHostException e) {
                throw new AssertionError(e);
            }
        }
    }

    public CompletionChannel channel() {
        return own(context.createCompChannel());
    }

    public CompletionQueue direct() {
        return own(context.createDirectCq(64));
    }

    public CompletionQueue on(CompletionChannel channel) {
        return own(context.createCq(64, null, channel, 0));
    }

    /** A CQ that is only polled. */
    public CompletionQueue polled() {
        return own(context.createCq(64, null, null, 0));
    }

    public MemoryRegion mr(long bytes) {
        return own(pd.allocateMr(bytes, ANYTHING));
    }

    /** Two connected queue pairs; each completes on one CQ. */
    public Pair pair(QpType type, CompletionQueue a, CompletionQueue b) {
        return new Pair(type, QpConfig.of(type, a), QpConfig.of(type, b));
    }

    public Pair pair(CompletionQueue a, CompletionQueue b) {
        return pair(QpType.RC, a, b);
    }

    /** A queue pair over which a CQ can be given completions at will. */
    public Source source(CompletionQueue cq) {
        return new Source(cq);
    }

    /** Two queue pairs that reach each other, each with memory that allows everything. */
    public final class Pair {
        public final QueuePair a;
        public final QueuePair b;
        public final MemoryRegion aMemory = mr(BUFFER);
        public final MemoryRegion bMemory = mr(BUFFER);
        private final AddressHandle toB;

        public Pair(QpType type, QpConfig aConfig, QpConfig bConfig) {
            this(type, aConfig, bConfig, QpAttributes.builder().access(ANYTHING).build());
        }

        public Pair(QpType type, QpConfig aConfig, QpConfig bConfig, QpAttributes attributes) {
            a = own(pd.createQp(aConfig));
            b = own(pd.createQp(bConfig));
            if (type == QpType.UD) {
                a.activate(QKEY);
                b.activate(QKEY);
                toB = own(pd.createAh(a.addressOf(b.endpoint())));
            } else {
                a.connect(b.endpoint(), attributes);
                b.connect(a.endpoint(), attributes);
                toB = null;
            }
        }

        /** A signalled SEND of {@code length} bytes from a to b. */
        public SendWorkRequest send(long wrId, int length) {
            SendWorkRequest wr = SendWorkRequest.allocate(4, 256).wrId(wrId).send().signaled();
            if (toB != null) {
                wr.to(toB, b.qpNum(), QKEY);
            }
            return length == 0 ? wr : wr.sge(aMemory, 0, length);
        }

        /** Gives b a buffer: the second half of its memory. */
        public void recv(long wrId) {
            b.postRecv(RecvWorkRequest.allocate(1).wrId(wrId).sge(bMemory, BUFFER / 2, BUFFER / 2));
        }

        /** One message that arrives. */
        public void message(long wrId, int length) {
            recv(wrId);
            a.postSend(send(wrId, length));
        }
    }

    public static AhAttributes addressOf(QueuePair qp) {
        QpEndpoint endpoint = qp.endpoint();
        return AhAttributes.of(endpoint.gid(), endpoint.lid());
    }

    /** Gives one CQ completions: messages of a queue pair that has its other completions apart. */
    public final class Source {
        /** Not polled at once: a receive keeps its place until then, but for soft0. */
        private static final int RECEIVES = 128;

        private final Pair pair;
        private final CompletionQueue cq;
        private final CompletionQueue other = polled();
        private final WorkCompletions drop = WorkCompletions.allocate(64);
        private int sent;

        public Source(CompletionQueue cq) {
            this.cq = cq;
            QpConfig receiver = QpConfig.of(QpType.RC, cq).withWr(1, RECEIVES);
            pair = new Pair(QpType.RC, QpConfig.of(QpType.RC, other), receiver);
        }

        /** Adds one completion of that number to the CQ. */
        public void complete(long wrId) {
            complete(wrId, false);
        }

        public void complete(long wrId, boolean solicited) {
            pair.recv(wrId);
            SendWorkRequest wr = pair.send(wrId, 0);
            pair.a.postSend(solicited ? wr.solicited() : wr);
            sent++;
            eventually("the message was sent", () -> other.poll(drop) == 1);
        }

        /** Adds as many as the CQ holds, which must be empty, and one more. */
        public void overrun() {
            for (int i = 0; i < cq.cqe(); i++) {
                complete(i);
            }
            if (Differences.sendersSurviveOverruns()) {
                complete(cq.cqe());
            } else {
                pair.message(cq.cqe(), 0);
            }
        }

        /** Closes the queue pairs, so that the CQ may be closed. */
        public void close() {
            pair.a.close();
            pair.b.close();
        }

        public int sent() {
            return sent;
        }
    }

    /** Polls until {@code n} completions have come. */
    public static List<WorkCompletion> poll(CompletionQueue cq, int n) {
        List<WorkCompletion> all = new ArrayList<>();
        WorkCompletions batch = WorkCompletions.allocate(16);
        eventually(
                n + " completions of " + cq,
                () -> {
                    int got = cq.poll(batch);
                    for (int i = 0; i < got; i++) {
                        all.add(batch.get(i));
                    }
                    return all.size() >= n;
                });
        assertThat(all).hasSize(n);
        return all;
    }

    public static WorkCompletion pollOne(CompletionQueue cq) {
        return poll(cq, 1).getFirst();
    }

    /** Waits, with bound, until something holds. */
    public static void eventually(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                fail("not within %s: %s", PATIENCE, what);
            }
            LockSupport.parkNanos(20_000);
        }
    }

    /** Something that runs on a thread of its own; what it throws comes out of {@link #get}. */
    public final class Task<T> {
        public final Thread thread;
        private T result;
        private Throwable failure;
        private boolean asked;

        private Task(Thread.Builder builder, String name, Callable<T> body) {
            thread =
                    builder.name(name)
                            .unstarted(
                                    () -> {
                                        try {
                                            result = body.call();
                                        } catch (Throwable e) {
                                            failure = e;
                                        }
                                    });
            tasks.add(this);
            thread.start();
        }

        public T get() throws Exception {
            join();
            asked = true;
            if (failure instanceof Exception e) {
                throw e;
            }
            if (failure instanceof Error e) {
                throw e;
            }
            return result;
        }

        /** What it threw, or null. */
        public Throwable failure() throws InterruptedException {
            join();
            asked = true;
            return failure;
        }

        public void join() throws InterruptedException {
            if (!thread.join(PATIENCE)) {
                fail("still running: %s %s", thread, List.of(thread.getStackTrace()));
            }
        }

        public boolean isDone() {
            return !thread.isAlive();
        }

        /**
         * Waits until the thread is parked, so that it has begun to wait; or waits in the kernel,
         * if it does so on behalf of all.
         */
        public Task<T> parked() {
            eventually(
                    thread.getName() + " is parked",
                    () -> {
                        Thread.State state = thread.getState();
                        assertThat(state)
                                .as("ended early: %s", failure)
                                .isNotEqualTo(Thread.State.TERMINATED);
                        return state == Thread.State.WAITING
                                || state == Thread.State.TIMED_WAITING
                                || isInEpoll();
                    });
            return this;
        }

        private boolean isInEpoll() {
            for (StackTraceElement frame : thread.getStackTrace()) {
                if (frame.getClassName().equals("io.loomverbs.internal.ffi.Epoll")
                        && frame.getMethodName().equals("await")) {
                    return true;
                }
            }
            return false;
        }
    }

    public <T> Task<T> start(String name, Callable<T> body) {
        return start(Thread.ofVirtual(), name, body);
    }

    public <T> Task<T> start(Thread.Builder builder, String name, Callable<T> body) {
        return new Task<>(builder, name, body);
    }

    @Override
    public void close() throws Exception {
        List<Throwable> problems = new ArrayList<>();
        Duration patience = PATIENCE;
        for (Task<?> task : tasks) {
            if (!task.thread.join(patience)) {
                patience = QUIET; // patient once; after that only to name them all
                problems.add(
                        new AssertionError(
                                "left running: "
                                        + task.thread
                                        + List.of(task.thread.getStackTrace())));
                task.thread.interrupt();
            } else if (!task.asked && task.failure != null) {
                problems.add(task.failure);
            }
        }
        for (AutoCloseable object : owned) {
            try {
                if (object instanceof CompletionQueue cq) {
                    cq.close(PATIENCE);
                } else {
                    object.close();
                }
            } catch (Exception e) {
                problems.add(e);
            }
        }
        try {
            context.close();
        } catch (VerbsException e) {
            problems.add(e);
        }
        if (!problems.isEmpty()) {
            AssertionError error = new AssertionError("the test left this: " + problems);
            problems.forEach(error::addSuppressed);
            throw error;
        }
    }
}
