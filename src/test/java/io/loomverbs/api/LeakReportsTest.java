package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Access;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.MwType;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.Serving;
import io.loomverbs.SrqAttributes;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.Requests;
import io.loomverbs.support.ChildJvm;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** What {@code loomverbs.leakDetection} reports, and that it names object, thread and place. */
@Timeout(120)
class LeakReportsTest {
    private static final String MAIN = "io.loomverbs.api.LeakReportsTest$Main.";
    private static final String DROPPED = " was dropped and never closed, so the device keeps it: ";
    private static final String FULL = "-Dloomverbs.leakDetection=full";
    private static final String SOON = "-Dloomverbs.heldWarningMillis=300";

    /** Each kind of object, while its context is known. */
    @Test
    void droppedObjectsAreReported() throws Exception {
        assertThat(run("objects", FULL).lines())
                .containsExactlyInAnyOrder(
                        "soft0/channel-2" + created("dropChannel"),
                        "soft0/cq-3" + created("dropCq"),
                        "soft0/pd-1/mr[lkey 0x*, rkey 0x*, 64 bytes at 0x*]" + created("dropMr"),
                        "soft0/ah-4" + created("dropAh"),
                        "soft0/srq-5" + created("dropSrq"),
                        "soft0/pd-6" + created("dropPd"),
                        "soft0/mw-7" + created("dropMw"),
                        "ibv_dealloc_pd: EBUSY: soft0/pd-1 is used by"
                                + " 1 address handle (soft0/ah-4, dropped and"
                                + " created by \"main\" at "
                                + place("dropAh")
                                + "), 1 memory window (soft0/mw-7, dropped and created by \"main\""
                                + " at "
                                + place("dropMw")
                                + "), 1 memory region (soft0/pd-1/mr[lkey 0x*, rkey 0x*, 64 bytes"
                                + " at 0x*], dropped and created by \"main\" at "
                                + place("dropMr")
                                + ") and 1 shared receive queue (soft0/srq-5, dropped and created"
                                + " by \"main\" at "
                                + place("dropSrq")
                                + "): close them first");
    }

    /** A context with all that is in it, also what the device itself can reach. */
    @Test
    void aDroppedContextIsReported() throws Exception {
        assertThat(run("context", FULL).lines())
                .containsExactlyInAnyOrder(
                        "soft0" + created("dropContext"),
                        "soft0/pd-1" + created("dropContext"),
                        "soft0/channel-2" + created("dropContext"),
                        "soft0/cq-3" + created("dropContext"),
                        "soft0/pd-1/mr[lkey 0x*, rkey 0x*, 64 bytes at 0x*]"
                                + created("dropContext"),
                        "soft0/qp-0x*" + created("dropContext"));
    }

    /** Of many objects some are tracked: it is as good as certain that one of 3,000 is. */
    @Test
    void someOfManyAreReportedUnlessToldOtherwise() throws Exception {
        assertThat(run("many").lines())
                .isNotEmpty()
                .allMatch(line -> line.endsWith(created("dropCq")))
                .hasSizeLessThan(300);
    }

    @Test
    void nothingIsReportedIfItIsOff() throws Exception {
        assertThat(run("many", "-Dloomverbs.leakDetection=off")).isEmpty();
        assertThat(run("event", "-Dloomverbs.leakDetection=off", SOON))
                .isEqualTo("nothing is reported\n");
    }

    /** What is closed is not reported, nor is what events can still return. */
    @Test
    void whatIsInUseIsNotReported() throws Exception {
        assertThat(run("used", FULL)).isEqualTo("connection\nthreads []\n");
    }

    @Test
    void anEventThatIsHeldIsReported() throws Exception {
        assertThat(run("event", FULL, SOON))
                .isEqualTo(
                        "an event of soft0/cq-2 has been unacknowledged for 0.3 s: taken by"
                                + " \"the-holder\" at "
                                + MAIN
                                + "takeAndHold, which is at "
                                + MAIN
                                + "hold\n");
    }

    /** Without tracking, too; then it does not say where. */
    @Test
    void anEventOfAThreadThatEndedIsReported() throws Exception {
        assertThat(run("ended", SOON))
                .isEqualTo(
                        "an event of soft0/cq-2 has been unacknowledged for 0.3 s: taken by"
                                + " \"the-holder\", which has ended\n");
    }

    @Test
    void anAsynchronousEventThatIsHeldIsReported() throws Exception {
        assertThat(run("async", SOON))
                .isEqualTo(
                        "asynchronous event CQ_ERR of soft0/cq-2 has been unacknowledged for 0.3 s:"
                                + " taken by \"the-holder\", which is at "
                                + MAIN
                                + "hold\n");
    }

    @Test
    void aHandlerThatDoesNotReturnIsReported() throws Exception {
        assertThat(run("handler", SOON))
                .isEqualTo(
                        "the handler of soft0/cq-2 has not returned for 0.* s: thread \"orders\" at"
                                + " "
                                + MAIN
                                + "hold\n");
    }

    @Test
    void aHandlerThatKeepsItsCarrierIsReported() throws Exception {
        assertThat(run("carrier", "-Dloomverbs.heldWarningMillis=3000"))
                .startsWith(
                        "the handler of soft0/cq-2 has kept its carrier, ForkJoinPool-1-worker-*,"
                                + " for 0.* s: thread \"orders\" at "
                                + MAIN
                                + "spin");
    }

    @Test
    void aCloseThatWaitsForItsOwnThreadIsReported() throws Exception {
        assertThat(run("self", FULL))
                .startsWith(
                        "thread \"main\" closes soft0/cq-2 while it holds an event of it, and may"
                                + " wait for itself; soft0/cq-2 has 1 unacknowledged event, taken"
                                + " by \"main\" at "
                                + MAIN
                                + "takeAndHold; closed at "
                                + MAIN
                                + "self")
                .contains("ETIMEDOUT");
    }

    /** Once for a CQ: there may be very many. */
    @Test
    void aRequestThatWasPostedByHandIsReported() throws Exception {
        assertThat(run("lost"))
                .startsWith("lost: WorkCompletion[")
                .endsWith(
                        "which belongs to no Requests, though soft0/cq-2 is polled for Requests."
                                + " Use another CQ for requests that are posted by hand\n")
                .hasLineCount(1);
    }

    private static String created(String method) {
        return DROPPED + "created by \"main\" at " + place(method);
    }

    private static String place(String method) {
        return MAIN + method;
    }

    /** Without what differs: keys, addresses, lines, fractions, and the callers of a place. */
    private static String run(String what, String... properties) throws Exception {
        List<String> options = new ArrayList<>(List.of(properties));
        options.add(ChildJvm.NATIVE_ACCESS);
        return ChildJvm.run(List.of(), options, Main.class, what)
                .replaceAll("0x[0-9a-f]+", "0x*")
                .replaceAll("worker-\\d+", "worker-*")
                .replaceAll("0\\.\\d+ s: thread", "0.* s: thread")
                .replaceAll("java\\.base/[^<,\\s]* < ", "")
                .replaceAll("\\(LeakReportsTest[^)]*\\)", "")
                .replaceAll(" < [^\\s(<;,)]+(\\([^)\n]*\\))?", "");
    }

    /** The program that does it wrong. It prints what is reported. */
    static final class Main {
        private static final Semaphore REPORTS = new Semaphore(0);

        private Main() {}

        public static void main(String[] args) throws Exception {
            Logger logger = Logger.getLogger("io.loomverbs");
            logger.setUseParentHandlers(false);
            logger.addHandler(new Printer());
            switch (args[0]) {
                case "objects" -> objects();
                case "context" -> {
                    dropContext();
                    collectUntil(6);
                }
                case "many" -> many();
                case "used" -> used();
                case "event" -> event();
                case "ended" -> ended();
                case "async" -> async();
                case "handler" -> handler(Main::hold);
                case "carrier" -> handler(Main::spin);
                case "self" -> self();
                case "lost" -> lost();
                case "property" -> Verbs.device("soft0").open().close();
                default -> throw new IllegalArgumentException(args[0]);
            }
        }

        private static final class Printer extends Handler {
            private static final SimpleFormatter TEXT = new SimpleFormatter();

            @Override
            public void publish(LogRecord report) {
                System.out.println(TEXT.formatMessage(report));
                REPORTS.release();
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        }

        private static void objects() throws InterruptedException {
            try (Context context = Verbs.device("soft0").open()) {
                ProtectionDomain pd = context.allocPd();
                dropChannel(context);
                dropCq(context);
                dropMr(pd);
                dropAh(pd);
                dropSrq(pd);
                dropPd(context);
                dropMw(pd);
                collectUntil(7);
                pd.close();
            } catch (VerbsException e) {
                System.out.println(e.getMessage());
            }
        }

        private static void dropChannel(Context context) {
            context.createCompChannel();
        }

        private static void dropCq(Context context) {
            context.createDirectCq(4);
        }

        private static void dropMr(ProtectionDomain pd) {
            pd.allocateMr(64, Access.LOCAL_WRITE);
        }

        private static void dropMw(ProtectionDomain pd) {
            pd.allocMw(MwType.TYPE_2);
        }

        private static void dropAh(ProtectionDomain pd) {
            pd.createAh(AhAttributes.of(pd.context().gid(1, 0), 1));
        }

        private static void dropSrq(ProtectionDomain pd) {
            pd.createSrq(SrqAttributes.of(4));
        }

        private static void dropPd(Context context) {
            context.allocPd();
        }

        private static void dropContext() {
            Context context = Verbs.device("soft0").open();
            ProtectionDomain pd = context.allocPd();
            CompletionChannel channel = context.createCompChannel();
            CompletionQueue cq = context.createCq(4, "connection", channel, 0);
            pd.allocateMr(64, Access.LOCAL_WRITE);
            pd.createQp(QpConfig.of(QpType.RC, cq));
        }

        private static void many() throws InterruptedException {
            Context context = Verbs.device("soft0").open();
            for (int i = 0; i < 3_000; i++) {
                dropCq(context);
            }
            for (int i = 0; i < 5; i++) {
                collect();
            }
            System.exit(0);
        }

        @SuppressWarnings("try") // its close may be interrupted
        private static void used() throws Exception {
            try (Fixture f = new Fixture();
                    CompletionChannel channel = f.context.createCompChannel()) {
                Fixture.Source source = f.source(onChannel(f, channel));
                for (int i = 0; i < 5; i++) {
                    collect();
                }
                source.complete(1);
                CqEvent event = channel.getCqEvent();
                System.out.println(event.cqContext());
                event.close();
                source.close();
                event.cq().close();
            }
            collect();
            for (int i = 0; i < 200 && !threads().isEmpty(); i++) {
                Thread.sleep(50);
            }
            System.out.println("threads " + threads());
            System.exit(0);
        }

        private static List<String> threads() {
            return Thread.getAllStackTraces().keySet().stream()
                    .map(Thread::getName)
                    .filter(name -> name.contains("leaks"))
                    .toList();
        }

        private static CompletionQueue onChannel(Fixture f, CompletionChannel channel) {
            CompletionQueue cq = f.context.createCq(4, "connection", channel, 0);
            cq.reqNotify(false);
            return cq;
        }

        private static void event() throws Exception {
            Fixture f = new Fixture();
            CompletionQueue cq = f.direct();
            armAndComplete(f, cq);
            f.start(
                    "the-holder",
                    () -> {
                        takeAndHold(cq);
                        hold();
                        return null;
                    });
            awaitReports(1);
            System.exit(0);
        }

        private static void ended() throws Exception {
            Fixture f = new Fixture();
            CompletionQueue cq = f.direct();
            armAndComplete(f, cq);
            f.start("the-holder", () -> takeAndHold(cq)).get();
            awaitReports(1);
            System.exit(0);
        }

        private static void async() throws Exception {
            Fixture f = new Fixture();
            CompletionQueue cq = f.direct();
            f.source(cq).overrun();
            f.start(
                    "the-holder",
                    () -> {
                        f.context.getAsyncEvent();
                        hold();
                        return null;
                    });
            awaitReports(1);
            System.exit(0);
        }

        private static void handler(Runnable work) throws Exception {
            Fixture f = new Fixture();
            CompletionQueue cq = f.direct();
            Serving serving = cq.serve("orders", _ -> work.run());
            f.source(cq).complete(1);
            awaitReports(1);
            System.exit(serving.threads().size() - 1);
        }

        private static void self() throws Exception {
            Fixture f = new Fixture();
            CompletionQueue cq = f.direct();
            Fixture.Source source = armAndComplete(f, cq);
            takeAndHold(cq);
            source.close();
            try {
                cq.close(Duration.ofMillis(1_200));
            } catch (VerbsException e) {
                System.out.println(e.getMessage());
            }
            System.exit(0);
        }

        /** A request by hand on a CQ of requests; and another, which is not reported again. */
        private static void lost() throws Exception {
            Fixture f = new Fixture();
            Fixture.Pair pair = f.pair(f.direct(), f.direct());
            Requests requests = Requests.over(pair.a);
            for (int i = 0; i < 2; i++) {
                pair.recv(i);
                pair.a.postSend(pair.send(i, 0));
                pair.recv(i);
                requests.send(Buffer.of(pair.aMemory, 0, 8));
            }
            System.exit(0);
        }

        private static Fixture.Source armAndComplete(Fixture f, CompletionQueue cq) {
            Fixture.Source source = f.source(cq);
            cq.reqNotify(false);
            source.complete(1);
            return source;
        }

        private static CqEvent takeAndHold(CompletionQueue cq) throws InterruptedException {
            return cq.getCqEvent();
        }

        private static void hold() {
            try {
                new Semaphore(0).acquire();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private static void spin() {
            while (REPORTS.availablePermits() >= 0) {
                Thread.onSpinWait();
            }
        }

        private static void awaitReports(int n) throws InterruptedException {
            if (!REPORTS.tryAcquire(n, nanos(), TimeUnit.NANOSECONDS)) {
                System.out.println("nothing is reported");
            }
        }

        private static void collectUntil(int reports) throws InterruptedException {
            long start = System.nanoTime();
            while (!REPORTS.tryAcquire(reports) && System.nanoTime() - start < nanos()) {
                collect();
            }
        }

        /** Where reports are off there is nothing to wait for. */
        private static long nanos() {
            boolean off = "off".equals(System.getProperty("loomverbs.leakDetection"));
            return TimeUnit.SECONDS.toNanos(off ? 2 : 30);
        }

        private static void collect() throws InterruptedException {
            System.gc();
            Thread.sleep(50);
        }
    }
}
