package io.loomverbs.tools;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.management.VerbsManagement;
import io.loomverbs.tools.storm.Heap;

import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;

/** Parks many handlers, measures their cost, and wakes every one to show that it is alive. */
@Command(
        name = "idle",
        description = {
            "Park many handlers, each with its own CQ and virtual thread, and measure the"
                    + " heap that one costs: CQ, waiter and thread, as CompletionQueue.serve makes"
                    + " them. Then wake every handler with its own message, to show that it is"
                    + " alive.",
            "",
            "Fails if a handler costs more than 2 KiB, or does not answer."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExample:%n",
        footer = "  LOOMVERBS_JAVA_OPTS=-Xmx1g loomverbs idle")
final class IdleCommand implements Callable<Integer> {
    private static final int WARM_UP = 20_000;
    private static final int MAX_WARM_UPS = 10;

    /** Differences of less than one in this many are ignored. */
    private static final int SAME = 50;

    private static final int LIMIT_BYTES = 2048;
    private static final int MESSAGE_BYTES = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Option(
            names = "--handlers",
            converter = Count.Things.class,
            paramLabel = "COUNT",
            defaultValue = "100000",
            description = "How many handlers (${DEFAULT-VALUE}).")
    private int handlers;

    @Option(names = "--json", description = "Print one JSON object, and nothing else, on stdout.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        try (VerbsManagement _ = VerbsManagement.register();
                Context context = Options.device(spec, "soft0").open()) {
            int max = context.attributes().maxCq();
            Options.inRange(spec, "--handlers", handlers, 1, max, "max_cq of soft0");
            warmUp(context, Math.min(WARM_UP, handlers));
            long before = Heap.usedBytes();
            Parked parked = new Parked(context, handlers);
            long bytes = (Heap.usedBytes() - before) / handlers;
            long answered = parked.wakeAll();
            parked.close();
            print(bytes, answered);
            complain(bytes, answered);
            return bytes <= LIMIT_BYTES && answered == handlers ? ExitCode.OK : ExitCode.SOFTWARE;
        }
    }

    /**
     * Runs until frames no longer get smaller: those of code that is not compiled yet are larger.
     */
    private static void warmUp(Context context, int count) throws InterruptedException {
        long last = Long.MAX_VALUE;
        for (int round = 0; round < MAX_WARM_UPS; round++) {
            long before = Heap.usedBytes();
            Parked parked = new Parked(context, count);
            long bytes = (Heap.usedBytes() - before) / count;
            parked.wakeAll();
            parked.close();
            if (bytes >= last - last / SAME) {
                return;
            }
            last = bytes;
        }
    }

    private void print(long bytes, long answered) {
        long heap = Runtime.getRuntime().maxMemory() >> 20;
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        json
                                ? "{\"handlers\":%d,\"heapBytesPerHandler\":%d,\"answered\":%d,"
                                        + "\"maxHeapMiB\":%d}%n"
                                : "%,d handlers, %,d bytes of heap each; %,d answered, in a heap of"
                                        + " %,d MiB at most%n",
                        handlers,
                        bytes,
                        answered,
                        heap);
    }

    private void complain(long bytes, long answered) {
        PrintWriter err = spec.commandLine().getErr();
        if (answered != handlers) {
            err.printf(Locale.ROOT, "failed: %,d handlers did not answer%n", handlers - answered);
        }
        if (bytes > LIMIT_BYTES) {
            err.printf(Locale.ROOT, "failed: a handler costs more than %,d bytes%n", LIMIT_BYTES);
            if (handlers < WARM_UP) {
                err.printf(
                        Locale.ROOT,
                        "With so few handlers, shared objects distort this: use %,d or more.%n",
                        WARM_UP);
            }
        }
        err.flush();
    }

    /** Waiting handlers, and the means to wake them. */
    private static final class Parked {
        private final Context context;
        private final LongAdder answers = new LongAdder();
        private final List<CompletionQueue> cqs;
        private final List<Thread> threads;

        Parked(Context context, int count) throws InterruptedException {
            this.context = context;
            cqs = new ArrayList<>(count);
            threads = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                CompletionQueue cq = context.createDirectCq(1);
                cqs.add(cq);
                threads.add(cq.serve(batch -> answers.add(batch.size())).threads().getFirst());
            }
            for (Thread thread : threads) {
                while (thread.getState() != Thread.State.WAITING) {
                    Thread.sleep(1);
                }
            }
        }

        /**
         * One queue pair after another, which writes to itself: 100,000 at once would cost more.
         */
        long wakeAll() throws InterruptedException {
            try (ProtectionDomain pd = context.allocPd();
                    MemoryRegion memory = pd.allocateMr(MESSAGE_BYTES, Access.LOCAL_WRITE)) {
                SendWorkRequest send = SendWorkRequest.allocate(1, 0);
                for (CompletionQueue cq : cqs) {
                    try (QueuePair qp = pd.createQp(QpConfig.of(QpType.UC, cq))) {
                        qp.connect(qp.endpoint());
                        qp.postSend(send.clear().send().sge(memory).signaled());
                    }
                }
            }
            long start = System.nanoTime();
            while (answers.sum() < cqs.size() && System.nanoTime() - start < PATIENCE.toNanos()) {
                Thread.sleep(1);
            }
            return answers.sum();
        }

        void close() throws InterruptedException {
            for (CompletionQueue cq : cqs) {
                cq.close(PATIENCE);
            }
            for (Thread thread : threads) {
                thread.join(PATIENCE);
            }
        }
    }
}
