package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.FutureTask;

/**
 * What {@code figures.c} does in {@code pingpong} and {@code get}: one end of a ping-pong, and
 * events that are ready. A process of its own, warm from one command to the next; {@link
 * EventFigures} writes the commands to it.
 */
public final class EventPlayer {
    private static final int BYTES = 64;
    private static final int DEPTH = 16;
    private static final int READY = 32;

    private final BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private final Context context;
    private final ProtectionDomain pd;

    private EventPlayer(Context context, ProtectionDomain pd) {
        this.context = context;
        this.pd = pd;
    }

    /**
     * Obeys commands until its input ends.
     *
     * @param args the device
     * @throws Exception whatever fails
     */
    public static void main(String[] args) throws Exception {
        try (Context context = Verbs.device(args[0]).open();
                ProtectionDomain pd = context.allocPd()) {
            EventPlayer player = new EventPlayer(context, pd);
            for (String line = player.in.readLine();
                    line != null && !line.equals("end");
                    line = player.in.readLine()) {
                String[] words = line.split(" ", -1);
                double micros =
                        words[0].equals("get")
                                ? player.get(words[1], Integer.parseInt(words[2]))
                                : player.play(words);
                say(String.format(Locale.ROOT, "%.3f", micros));
            }
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static double onVirtualThread(FutureTask<Double> task) throws Exception {
        Thread.ofVirtual().start(task);
        return task.get();
    }

    /** A queue pair with its CQ and its memory. */
    private final class End implements AutoCloseable {
        final MemoryRegion memory = pd.allocateMr(2L * BYTES, Access.LOCAL_WRITE);
        final CompletionQueue cq;
        final QueuePair qp;
        private final WorkCompletions batch = WorkCompletions.allocate(DEPTH);
        private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
        private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
        private int received;
        private int sent;
        private int sendsDone;

        End(CompletionQueue cq) {
            this.cq = cq;
            qp = pd.createQp(QpConfig.of(QpType.RC, cq));
        }

        void receive() {
            qp.postRecv(recv.clear().sge(memory, 0, BYTES));
        }

        void post() {
            qp.postSend(send.clear().send().sge(memory, BYTES, BYTES).signaled());
            sent++;
        }

        void play(Waiting waiting, int rounds) throws InterruptedException {
            while (received < rounds || sendsDone < rounds) {
                int n = waiting.next(cq, batch);
                for (int i = 0; i < n; i++) {
                    if (!batch.isSuccess(i)) {
                        throw new IllegalStateException(batch.toString());
                    }
                    if (batch.opcode(i) != WcOpcode.RECV) {
                        sendsDone++;
                        continue;
                    }
                    received++;
                    receive();
                    if (sent < rounds) {
                        post();
                    }
                }
            }
        }

        @Override
        public void close() {
            qp.close();
            cq.close();
            memory.close();
        }
    }

    @FunctionalInterface
    private interface Waiting {
        int next(CompletionQueue cq, WorkCompletions batch) throws InterruptedException;
    }

    private static int event(CompletionQueue cq, WorkCompletions batch)
            throws InterruptedException {
        cq.getCqEvent().close();
        cq.reqNotify(false);
        return cq.poll(batch);
    }

    private static Waiting waiting(String shape) {
        return switch (shape) {
            case "event" -> EventPlayer::event;
            case "await" -> CompletionQueue::await;
            default -> throw new IllegalArgumentException("no shape " + shape);
        };
    }

    private double play(String[] words) throws Exception {
        Waiting waiting = waiting(words[1]);
        int warmUp = Integer.parseInt(words[2]);
        int iterations = Integer.parseInt(words[3]);
        try (End end = new End(context.createDirectCq(2 * DEPTH, WaitStrategy.EVENTS))) {
            byte[] wire = new PingpongPeer(end.qp.endpoint()).toWire();
            say(HexFormat.of().formatHex(wire));
            byte[] peer = HexFormat.of().parseHex(in.readLine());
            end.qp.connect(PingpongPeer.ofWire(peer).endpoint());
            end.receive();
            end.cq.reqNotify(false);
            say("ready");
            boolean begins = in.readLine().equals("begin");
            return onVirtualThread(
                    new FutureTask<>(
                            () -> {
                                if (!begins) {
                                    end.play(waiting, warmUp + iterations);
                                    return 0.0;
                                }
                                end.post();
                                end.play(waiting, warmUp);
                                long start = System.nanoTime();
                                end.post();
                                end.play(waiting, warmUp + iterations);
                                return (System.nanoTime() - start) / 1e3 / iterations;
                            }));
        }
    }

    // --- events that are ready

    @FunctionalInterface
    private interface Taking {
        void take(CompletionQueue cq) throws InterruptedException;
    }

    private double get(String shape, int events) throws Exception {
        try (CompletionChannel channel = context.createCompChannel()) {
            Taking taking =
                    switch (shape) {
                        case "channel" -> cq -> channel.getCqEvent().close();
                        case "direct" -> cq -> cq.getCqEvent().close();
                        default -> throw new IllegalArgumentException("no shape " + shape);
                    };
            List<End> ends = new ArrayList<>();
            for (int i = 0; i < READY; i++) {
                CompletionQueue cq =
                        shape.equals("direct")
                                ? context.createDirectCq(2 * DEPTH)
                                : context.createCq(2 * DEPTH, null, channel, 0);
                End end = new End(cq);
                end.qp.connect(end.qp.endpoint());
                end.receive();
                ends.add(end);
            }
            try {
                return onVirtualThread(new FutureTask<>(() -> rounds(ends, taking, events)));
            } finally {
                ends.forEach(End::close);
            }
        }
    }

    /** As in C: each round makes the events of all CQs, and then times their receipt. */
    private static double rounds(List<End> ends, Taking taking, int events)
            throws InterruptedException {
        long took = 0;
        for (int n = 0; n < events; n += ends.size()) {
            for (End end : ends) {
                end.cq.reqNotify(false);
                end.post();
                for (int got = 0; got < 2; ) {
                    got += end.cq.poll(end.batch);
                }
                end.receive();
            }
            long start = System.nanoTime();
            for (End end : ends) {
                taking.take(end.cq);
            }
            took += System.nanoTime() - start;
        }
        return took / 1e3 / events;
    }
}
