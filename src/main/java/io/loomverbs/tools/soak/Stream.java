package io.loomverbs.tools.soak;

import io.loomverbs.Access;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.FailurePolicy;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Serving;
import io.loomverbs.WorkCompletions;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Streams of messages, one after the other, each on CQs and queue pairs of its own. */
final class Stream {
    static final int WINDOW = 8;
    static final int SLOT = 64;

    private static final int LONGEST = 200;
    private static final int SHORT_NANOS = 200_000;
    private static final int BATCH = 4;
    private static final long FACTOR = 31;

    private final Round round;
    private final StreamKind kind;
    private final CompletionChannel shared;

    /**
     * @param shared for events that others wait for, too
     */
    Stream(Round round, StreamKind kind, CompletionChannel shared) {
        this.round = round;
        this.kind = kind;
        this.shared = shared;
    }

    /** What a message holds. */
    static long content(int number) {
        return number * FACTOR;
    }

    /** On the thread that receives, which may be interrupted at any time. */
    Void run() throws InterruptedException {
        do {
            // A channel with other receivers gives this one their events; so it has its own.
            try (CompletionChannel own = round.context().createCompChannel()) {
                one(kind == StreamKind.CHANNEL ? own : shared);
            }
            Thread.interrupted();
        } while (!round.isOver());
        return null;
    }

    private void one(CompletionChannel channel) {
        boolean direct = kind != StreamKind.CHANNEL;
        int vector = ThreadLocalRandom.current().nextInt(round.context().numCompVectors());
        int count = 1 + ThreadLocalRandom.current().nextInt(LONGEST);
        try (MemoryRegion memory = round.pd().allocateMr(2L * WINDOW * SLOT, Access.LOCAL_WRITE);
                CompletionQueue sends = round.context().createDirectCq(2 * WINDOW);
                CompletionQueue receives =
                        direct
                                ? round.context().createDirectCq(2 * WINDOW, kind, null, vector)
                                : round.context().createCq(2 * WINDOW, kind, channel, vector);
                QueuePair a = round.pd().createQp(QpConfig.of(QpType.RC, sends));
                QueuePair b = round.pd().createQp(QpConfig.of(QpType.RC, receives))) {
            a.connect(b.endpoint());
            b.connect(a.endpoint());
            StreamReceiver receiver = new StreamReceiver(memory, b, count);
            receiver.open();
            StreamSender sender = new StreamSender(a, sends, memory, count);
            Thread sending = sender.start();
            receiveAll(receives, channel, receiver, sender);
            joinThrough(sending);
            if (sender.failure() != null) {
                throw new IllegalStateException("a sender has failed", sender.failure());
            }
            Expect.that(
                    receives.unackedEvents() == 0 && sends.unackedEvents() == 0,
                    "events are left: %s, %s",
                    receives,
                    sends);
            round.counts().add(SoakCounts.Kind.MESSAGES, count);
        }
    }

    private void receiveAll(
            CompletionQueue cq,
            CompletionChannel channel,
            StreamReceiver receiver,
            StreamSender sender) {
        if (kind == StreamKind.SERVE) {
            serveAll(cq, receiver, sender);
            return;
        }
        WorkCompletions batch = WorkCompletions.allocate(BATCH);
        long movedNanos = System.nanoTime();
        while (!receiver.isComplete()) {
            int before = receiver.received();
            try {
                receiveSome(cq, channel, receiver, batch);
            } catch (InterruptedException e) {
                round.counts().add(SoakCounts.Kind.INTERRUPTS, 1);
            }
            movedNanos = moved(receiver.received() != before, movedNanos, receiver, sender);
        }
    }

    private void serveAll(CompletionQueue cq, StreamReceiver receiver, StreamSender sender) {
        try (Serving server =
                Serving.of(cq, receiver::take, FailurePolicy.STOP)
                        .start(Thread.ofVirtual().factory())) {
            int before = 0;
            long movedNanos = System.nanoTime();
            while (!receiver.isComplete()) {
                try {
                    Expect.that(!server.join(Duration.ofMillis(1)), "serving has ended");
                } catch (InterruptedException e) {
                    round.counts().add(SoakCounts.Kind.INTERRUPTS, 1);
                }
                int now = receiver.received();
                movedNanos = moved(now != before, movedNanos, receiver, sender);
                before = now;
            }
        }
    }

    /** When messages came last; one that does not come at all is lost. */
    private static long moved(
            boolean moved, long movedNanos, StreamReceiver receiver, StreamSender sender) {
        long now = System.nanoTime();
        Expect.that(
                moved || now - movedNanos < Round.PATIENCE.toNanos(),
                "message %d does not come; its sender: %s",
                receiver.received(),
                String.valueOf(sender.failure()));
        return moved ? now : movedNanos;
    }

    /** By one wait, which may be a short one. */
    private void receiveSome(
            CompletionQueue cq,
            CompletionChannel channel,
            StreamReceiver receiver,
            WorkCompletions batch)
            throws InterruptedException {
        boolean timed = ThreadLocalRandom.current().nextBoolean();
        Duration timeout =
                timed
                        ? Duration.ofNanos(ThreadLocalRandom.current().nextInt(SHORT_NANOS))
                        : Round.PATIENCE;
        if (kind == StreamKind.AWAIT) {
            if (cq.await(batch, 1, timeout) == 0) {
                round.counts().add(SoakCounts.Kind.TIMEOUTS, 1);
            }
            receiver.take(batch);
            return;
        }
        cq.reqNotify(false);
        if (cq.poll(batch) == 0) {
            try (CqEvent event =
                    kind == StreamKind.EVENTS
                            ? cq.getCqEvent(timeout)
                            : channel.getCqEvent(timeout)) {
                Expect.that(event == null || event.cq() == cq, "an event of another CQ");
                Expect.that(event != null || timed, "no event of %s", cq);
                if (event == null) {
                    round.counts().add(SoakCounts.Kind.TIMEOUTS, 1);
                }
            }
            cq.poll(batch);
        }
        receiver.take(batch);
    }

    private static void joinThrough(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                Expect.that(thread.join(Round.PATIENCE), "%s does not end", thread);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
