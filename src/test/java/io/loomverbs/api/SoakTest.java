package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Access;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.FailurePolicy;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Serving;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** Everything at once, for a while: nothing is lost, nothing comes twice, and it ends. */
@Tag("device")
@Timeout(120)
@SuppressWarnings("try") // explicit closes are what is tried
class SoakTest {
    private static final Duration TIME =
            Duration.ofMillis(Long.getLong("loomverbs.soakMillis", 8_000));
    private static final int WINDOW = 8;
    private static final int SLOT = 64;

    private final Fixture f = new Fixture();
    private final long end = System.nanoTime() + TIME.toNanos();
    private final AtomicLong messages = new AtomicLong();
    private final AtomicLong interrupts = new AtomicLong();

    /** How a receiver waits for its messages. */
    private enum How {
        AWAIT,
        EVENTS,
        CHANNEL,
        SERVE
    }

    private boolean inTime() {
        return System.nanoTime() - end < 0;
    }

    /**
     * Streams of numbered messages over queue pairs that come and go, received in every way there
     * is, by threads that are interrupted and run out of time: each arrives once and in order.
     */
    @Test
    void messagesArriveOnceAndInOrder() throws Exception {
        CompletionChannel shared = f.channel();
        // Another CQ's events on the same channel, which must not get lost either.
        List<Fixture.Task<?>> streams = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            How how = How.values()[i % How.values().length];
            Thread.Builder kind = i % 3 == 2 ? Thread.ofPlatform() : Thread.ofVirtual();
            CompletionChannel channel = i < 8 ? shared : f.channel();
            streams.add(f.start(kind, "stream-" + i + "-" + how, () -> stream(how, channel)));
        }
        Fixture.Task<?> interrupter =
                f.start(
                        Thread.ofPlatform(),
                        "interrupter",
                        () -> {
                            while (streams.stream().anyMatch(s -> !s.isDone())) {
                                Thread.sleep(1);
                                int victim = ThreadLocalRandom.current().nextInt(streams.size());
                                streams.get(victim).thread.interrupt();
                            }
                            return null;
                        });
        for (Fixture.Task<?> stream : streams) {
            assertThat(stream.thread.join(TIME.plus(Fixture.PATIENCE)))
                    .as("%s %s", stream.thread, List.of(stream.thread.getStackTrace()))
                    .isTrue();
            stream.get();
        }
        interrupter.get();
        assertThat(messages.get()).isGreaterThan(1_000);
        assertThat(interrupts.get()).isPositive();
        f.close();
    }

    /**
     * One stream after the other until the time is over, each on CQs and queue pairs of its own.
     */
    private Void stream(How how, CompletionChannel shared) throws Exception {
        do {
            // A channel with other receivers gives this one their events; so it has its own.
            try (CompletionChannel own = f.context.createCompChannel()) {
                one(how, how == How.CHANNEL ? own : shared);
            }
            Thread.interrupted();
        } while (inTime());
        return null;
    }

    private void one(How how, CompletionChannel channel) throws Exception {
        boolean direct = how != How.CHANNEL;
        int vector = ThreadLocalRandom.current().nextInt(f.context.numCompVectors());
        int count = 1 + ThreadLocalRandom.current().nextInt(200);
        try (MemoryRegion memory = f.pd.allocateMr(2L * WINDOW * SLOT, Access.LOCAL_WRITE);
                CompletionQueue sends = f.context.createDirectCq(2 * WINDOW);
                CompletionQueue receives =
                        direct
                                ? f.context.createDirectCq(2 * WINDOW, how, null, vector)
                                : f.context.createCq(2 * WINDOW, how, channel, vector);
                QueuePair a = f.pd.createQp(QpConfig.of(QpType.RC, sends));
                QueuePair b = f.pd.createQp(QpConfig.of(QpType.RC, receives))) {
            a.connect(b.endpoint());
            b.connect(a.endpoint());
            Receiver receiver = new Receiver(memory, b, count);
            for (int i = 0; i < Math.min(WINDOW, count); i++) {
                receiver.postRecv(i);
            }
            Thread sender = Thread.ofVirtual().unstarted(() -> send(a, sends, memory, count));
            AtomicBoolean failed = new AtomicBoolean();
            sender.setUncaughtExceptionHandler((t, e) -> failed.set(true));
            sender.start();
            Serving server = how == How.SERVE ? serve(receives, receiver) : null;
            while (receiver.next < count) {
                if (how == How.SERVE) {
                    try {
                        assertThat(server.join(Duration.ofMillis(1))).isFalse();
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                    }
                } else {
                    receiveSome(how, receives, channel, receiver);
                }
            }
            joinThrough(sender);
            assertThat(failed).isFalse();
            if (server != null) {
                server.close();
            }
            assertThat(receives.unackedEvents()).isZero();
            assertThat(sends.unackedEvents()).isZero();
            messages.addAndGet(count);
        }
    }

    private static Serving serve(CompletionQueue cq, Receiver receiver) {
        return Serving.of(cq, receiver::take, FailurePolicy.STOP)
                .start(Thread.ofVirtual().factory());
    }

    private void receiveSome(
            How how, CompletionQueue cq, CompletionChannel channel, Receiver receiver) {
        WorkCompletions batch = WorkCompletions.allocate(4);
        boolean timed = ThreadLocalRandom.current().nextBoolean();
        Duration timeout =
                timed
                        ? Duration.ofNanos(ThreadLocalRandom.current().nextInt(200_000))
                        : Fixture.PATIENCE;
        try {
            if (how == How.AWAIT) {
                cq.await(batch, 1, timeout);
                receiver.take(batch);
                return;
            }
            cq.reqNotify(false);
            if (cq.poll(batch) == 0) {
                try (CqEvent event =
                        how == How.EVENTS ? cq.getCqEvent(timeout) : channel.getCqEvent(timeout)) {
                    assertThat(event == null || event.cq() == cq).isTrue();
                    assertThat(event != null || timed).as("no event").isTrue();
                }
                cq.poll(batch);
            }
            receiver.take(batch);
        } catch (InterruptedException e) {
            interrupts.incrementAndGet();
        }
    }

    private static void joinThrough(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                assertThat(thread.join(Fixture.PATIENCE)).as("%s", thread).isTrue();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Checks that messages come in order, and makes room for more. */
    private static final class Receiver {
        private final MemoryRegion memory;
        private final QueuePair qp;
        private final int count;
        private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
        private volatile int next;

        Receiver(MemoryRegion memory, QueuePair qp, int count) {
            this.memory = memory;
            this.qp = qp;
            this.count = count;
        }

        void postRecv(int i) {
            long at = (WINDOW + (long) (i % WINDOW)) * SLOT;
            qp.postRecv(recv.clear().wrId(i).sge(memory, at, SLOT));
        }

        void take(WorkCompletions batch) {
            for (int i = 0; i < batch.size(); i++) {
                int expected = next;
                assertThat(batch.status(i)).isEqualTo(WcStatus.SUCCESS);
                assertThat(batch.wrId(i)).isEqualTo(expected);
                long at = (WINDOW + (long) (expected % WINDOW)) * SLOT;
                assertThat(memory.memory().get(JAVA_LONG, at)).isEqualTo(expected * 31L);
                if (expected + WINDOW < count) {
                    postRecv(expected + WINDOW);
                }
                next = expected + 1;
            }
        }
    }

    private static void send(QueuePair qp, CompletionQueue cq, MemoryRegion memory, int count) {
        SendWorkRequest wr = SendWorkRequest.allocate(1, 0);
        WorkCompletions done = WorkCompletions.allocate(WINDOW);
        int sent = 0;
        int completed = 0;
        try {
            while (completed < count) {
                while (sent < count && sent - completed < WINDOW) {
                    long at = (long) (sent % WINDOW) * SLOT;
                    memory.memory().set(JAVA_LONG, at, sent * 31L);
                    qp.postSend(wr.clear().wrId(sent).sge(memory, at, SLOT).signaled());
                    sent++;
                }
                int n = cq.await(done);
                for (int i = 0; i < n; i++) {
                    assertThat(done.status(i)).isEqualTo(WcStatus.SUCCESS);
                    assertThat(done.wrId(i)).isEqualTo(completed++);
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
