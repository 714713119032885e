package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.Gid;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One message that goes back and forth between two handlers, each on a virtual thread. */
final class Pingpong {
    /** The room for a routing header in front of what a UD queue pair receives. */
    private static final int GRH_BYTES = 40;

    private static final int QKEY = 0x11111111;
    private static final int BATCH = 16;
    private static final int DIGITS = 3;

    /** A connection on which nothing arrives for so long has lost its message. */
    private static final Duration SILENCE = Duration.ofSeconds(10);

    private final Context context;
    private final QpType type;
    private final int size;
    private final int iters;
    private final int rxDepth;
    private final boolean events;
    private final boolean check;
    private final Histogram roundTripNanos = new Histogram(DIGITS);

    Pingpong(
            Context context,
            QpType type,
            int size,
            int iters,
            int rxDepth,
            boolean events,
            boolean check) {
        this.context = context;
        this.type = type;
        this.size = size;
        this.iters = iters;
        this.rxDepth = rxDepth;
        this.events = events;
        this.check = check;
    }

    Histogram roundTripNanos() {
        return roundTripNanos;
    }

    /** Runs it; answers how many seconds it took. */
    double run() throws InterruptedException {
        try (ProtectionDomain pd = context.allocPd();
                Side a = new Side(pd, true);
                Side b = new Side(pd, false)) {
            a.connect(b.qp.endpoint());
            b.connect(a.qp.endpoint());
            long start = System.nanoTime();
            FutureTask<Void> first = a.start();
            FutureTask<Void> second = b.start();
            await(first);
            await(second);
            return (System.nanoTime() - start) / 1e9;
        }
    }

    private void await(FutureTask<Void> task) throws InterruptedException {
        try {
            // Far beyond what it can take: a side that is stuck says so before.
            task.get(1 + iters / 100L + SILENCE.toSeconds() * 2, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException("pingpong failed: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("pingpong did not end", e);
        }
    }

    /** One of the two: its queue pair, its memory, what it does. */
    private final class Side implements AutoCloseable {
        private final boolean begins;
        private final int inboxAt = type == QpType.UD ? GRH_BYTES : 0;
        private final MemoryRegion inbox;
        private final MemoryRegion outbox;
        private final CompletionQueue cq;
        private final QueuePair qp;
        private final WorkCompletions batch = WorkCompletions.allocate(BATCH);
        private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
        private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
        private @Nullable AddressHandle ah;
        private int remoteQpn;
        private int received;
        private int sent;
        private int sendsDone;

        Side(ProtectionDomain pd, boolean begins) {
            this.begins = begins;
            inbox = pd.allocateMr(inboxAt + size, Access.LOCAL_WRITE);
            outbox = pd.allocateMr(size);
            cq = context.createDirectCq(rxDepth + BATCH);
            qp = pd.createQp(QpConfig.of(type, cq).withWr(BATCH, rxDepth));
        }

        void connect(QpEndpoint remote) {
            remoteQpn = remote.qpNum();
            if (type == QpType.UD) {
                Gid gid = remote.gid();
                if (gid == null) {
                    throw new IllegalStateException("the peer has no GID");
                }
                qp.activate(QKEY);
                ah = qp.pd().createAh(AhAttributes.of(gid, remote.lid()));
            } else {
                qp.connect(remote);
            }
            for (int i = 0; i < rxDepth; i++) {
                qp.postRecv(recv.clear().sge(inbox));
            }
        }

        FutureTask<Void> start() {
            FutureTask<Void> task =
                    new FutureTask<>(
                            () -> {
                                play();
                                return null;
                            });
            Thread.ofVirtual().name(begins ? "ping" : "pong").start(task);
            return task;
        }

        private void play() throws InterruptedException {
            long sentNanos = System.nanoTime();
            if (begins) {
                post();
            }
            while (received < iters || sendsDone < iters) {
                int n = await();
                for (int i = 0; i < n; i++) {
                    if (!batch.isSuccess(i)) {
                        throw new IllegalStateException("a work request failed: " + batch.get(i));
                    }
                    if (batch.opcode(i) != WcOpcode.RECV) {
                        sendsDone++;
                        continue;
                    }
                    received++;
                    verify();
                    qp.postRecv(recv.clear().sge(inbox));
                    if (begins) {
                        long now = System.nanoTime();
                        roundTripNanos.recordValue(now - sentNanos);
                        sentNanos = now;
                    }
                    if (sent < iters) {
                        post();
                    }
                }
            }
        }

        private int await() throws InterruptedException {
            return events ? awaitEvent() : pollUntilSome();
        }

        private int awaitEvent() throws InterruptedException {
            for (; ; ) {
                int n = cq.poll(batch);
                if (n > 0) {
                    return n;
                }
                cq.reqNotify(false);
                n = cq.poll(batch);
                if (n > 0) {
                    return n;
                }
                try (CqEvent event = cq.getCqEvent(SILENCE)) {
                    if (event == null) {
                        throw silence();
                    }
                }
            }
        }

        @SuppressWarnings(
                "ThreadPriorityCheck") // two that poll must share a carrier if there is one
        private int pollUntilSome() {
            long start = System.nanoTime();
            for (int n = cq.poll(batch); ; n = cq.poll(batch)) {
                if (n > 0) {
                    return n;
                }
                if (System.nanoTime() - start > SILENCE.toNanos()) {
                    throw silence();
                }
                Thread.yield();
            }
        }

        private IllegalStateException silence() {
            return new IllegalStateException(
                    "nothing has arrived for "
                            + SILENCE.toSeconds()
                            + " s after "
                            + received
                            + " messages"
                            + (type == QpType.RC ? "" : ": one was lost"));
        }

        private void post() {
            if (check) {
                fill(outbox.memory(), sent);
            }
            send.clear().send().sge(outbox).signaled();
            if (ah != null) {
                send.to(ah, remoteQpn, QKEY);
            }
            qp.postSend(send);
            sent++;
        }

        private void fill(MemorySegment memory, int number) {
            memory.fill((byte) number);
            memory.set(ValueLayout.JAVA_BYTE, size - 1L, (byte) (number + 1));
        }

        private void verify() {
            if (!check) {
                return;
            }
            byte number = (byte) (received - 1);
            for (long i = 0; i < size; i++) {
                byte expected = i == size - 1L ? (byte) (number + 1) : number;
                byte found = inbox.memory().get(ValueLayout.JAVA_BYTE, inboxAt + i);
                if (found != expected) {
                    throw new IllegalStateException(
                            "byte "
                                    + i
                                    + " of message "
                                    + received
                                    + " is "
                                    + found
                                    + ", but "
                                    + expected
                                    + " was sent");
                }
            }
        }

        @Override
        public void close() {
            qp.close();
            if (ah != null) {
                ah.close();
            }
            cq.close(SILENCE);
            inbox.close();
            outbox.close();
        }
    }
}
