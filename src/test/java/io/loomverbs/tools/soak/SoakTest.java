package io.loomverbs.tools.soak;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.Verbs;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.FileInputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A short soak finds nothing, and one with a planted leak of any kind finds that. */
@Tag("planted")
@Timeout(180)
class SoakTest {
    private static final SoakPlan LONGER = new SoakPlan(Duration.ofSeconds(8), 50, false);
    private static final SoakPlan SHORT = new SoakPlan(Duration.ofSeconds(2), 2, true);
    private static final int MANY_BYTES = 32 << 20;

    private final Context context = Verbs.device(Fixture.DEVICE).open();
    private final Deque<AutoCloseable> leaked = new ArrayDeque<>();

    @AfterEach
    void closeWhatWasLeaked() throws Exception {
        for (AutoCloseable object : leaked) {
            object.close();
        }
        context.close();
    }

    private <T extends AutoCloseable> T leak(T object) {
        leaked.push(object);
        return object;
    }

    /** Everything at once, on the device: nothing is lost, nothing is left, and it ends. */
    @Test
    void nothingIsLostAndNothingIsLeft() throws Exception {
        AtomicInteger rounds = new AtomicInteger();
        SoakResult result = new Soak(context, LONGER, soak -> rounds.set(soak.rounds())).run();
        assertThat(result.failures()).isEmpty();
        assertThat(result.isGood()).isTrue();
        assertThat(result.interrupted()).isFalse();
        assertThat(result.rounds()).isEqualTo(rounds.get()).isGreaterThanOrEqualTo(2);
        assertThat(result.counts().messages()).isGreaterThan(1_000);
        assertThat(result.first()).isNotNull();
        assertThat(result.last()).isNotNull();
    }

    @Test
    void aCqThatIsNeverClosedIsFound() throws Exception {
        assertThat(failuresWith(round -> leak(round.context().createDirectCq(1)).named("lost")))
                .anyMatch(failure -> failure.contains("lost") && failure.contains("is open"));
    }

    @Test
    void anEventThatIsNeverAcknowledgedIsFound() throws Exception {
        assertThat(failuresWith(this::keepAnEvent))
                .anyMatch(failure -> failure.contains("has unacknowledged events: 1"));
    }

    private void keepAnEvent(Round round) throws InterruptedException {
        ProtectionDomain pd = leak(round.context().allocPd());
        CompletionQueue cq = leak(round.context().createDirectCq(SoakPair.DEPTH));
        SoakPair pair = leak(new SoakPair(pd, cq));
        cq.reqNotify(false);
        pair.message(1);
        CqEvent event = leak(cq.getCqEvent(Round.PATIENCE));
        assertThat(event).isNotNull();
    }

    @Test
    void aThreadThatDoesNotEndIsFound() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        leak(end::countDown);
        assertThat(
                        failuresWith(
                                round ->
                                        Thread.ofPlatform()
                                                .name("left-behind")
                                                .start(() -> await(end))))
                .anyMatch(f -> f.contains(" threads, were ") && f.contains("left-behind"));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aDescriptorThatStaysOpenIsFound() throws Exception {
        assertThat(failuresWith(round -> leak(new FileInputStream("/etc/hostname"))))
                .anyMatch(f -> f.contains(" descriptors, were ") && f.contains("/etc/hostname"));
    }

    @Test
    void aHeapThatGrowsIsFound() throws Exception {
        assertThat(failuresWith(round -> hold(new byte[MANY_BYTES])))
                .anyMatch(f -> f.startsWith("live heap is ") && f.contains("more than 5 % more"));
    }

    private void hold(byte[] bytes) {
        leak(() -> assertThat(bytes).hasSize(MANY_BYTES));
    }

    /** In a JVM of its own, whose heap does not grow. */
    @Test
    void memoryThatIsNeverFreedIsFound() throws Exception {
        Process child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-Xms64m",
                                "-Xmx64m",
                                "-XX:+AlwaysPreTouch",
                                "-cp",
                                System.getProperty("java.class.path"),
                                SoakChild.class.getName())
                        .redirectErrorStream(true)
                        .start();
        String printed = new String(child.getInputStream().readAllBytes(), UTF_8);
        assertThat(child.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(printed).contains("resident memory is ", "more than 5 % more");
        assertThat(printed).doesNotContain("live heap is");
    }

    /** A part that fails ends the soak, which says what it was. */
    @Test
    void aFailureEndsTheSoak() throws Exception {
        assertThat(
                        failuresWith(
                                round -> {
                                    throw new IllegalStateException("as planned");
                                }))
                .anyMatch(f -> f.startsWith("planted: ") && f.contains("as planned"));
    }

    /** A part that hangs is named, with the place. */
    @Test
    void aPartThatHangsIsNamed() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        leak(end::countDown);
        try (ProtectionDomain pd = context.allocPd()) {
            Duration shortly = Duration.ofMillis(50);
            Round round = new Round(context, pd, 0, shortly, new SoakCounts());
            round.start(
                    Thread.ofVirtual(),
                    "stuck",
                    () -> {
                        end.await();
                        return null;
                    });
            round.join(shortly);
            assertThat(round.failures())
                    .singleElement()
                    .asString()
                    .contains("soak-stuck does not end", "CountDownLatch.await");
        }
    }

    /** A soak in which something never happens has not tried it, and says so. */
    @Test
    void whatComesLateHasWorkedOnce() throws Exception {
        try (ProtectionDomain pd = context.allocPd()) {
            SoakCounts counts = new SoakCounts();
            Round over = new Round(context, pd, 0, Duration.ZERO, counts);
            over.end();
            new Contexts().run(over);
            new GcPressure().run(over);
            assertThat(counts.of(SoakCounts.Kind.CONTEXTS)).isEqualTo(1);
            assertThat(counts.of(SoakCounts.Kind.COLLECTIONS)).isEqualTo(1);
        }
    }

    @Test
    void whatWasNotTriedIsSaid() throws Exception {
        assertThat(failuresWith(round -> {})).contains("nothing was tried of: messages");
    }

    /** A soak that is stopped has a result, too. */
    @Test
    void aSoakIsStoppedEarly() throws Exception {
        SoakPlan day = new SoakPlan(Duration.ofDays(1), 20, false);
        Soak soak = new Soak(context, day, s -> {});
        Thread stopper =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    while (soak.counts().messages() == 0) {
                                        Thread.onSpinWait();
                                    }
                                    soak.stop();
                                });
        SoakResult result = soak.run();
        stopper.join();
        assertThat(result.failures()).isEmpty();
        assertThat(result.interrupted()).isTrue();
        assertThat(result.rounds()).isEqualTo(1);
    }

    /** What a part of a soak does in each of its rounds. */
    interface Planted {
        void run(Round round) throws Exception;
    }

    private List<String> failuresWith(Planted planted) throws Exception {
        return failuresWith(context, SHORT, planted);
    }

    static List<String> failuresWith(Context context, SoakPlan plan, Planted planted)
            throws InterruptedException {
        SoakPart part =
                new SoakPart() {
                    @Override
                    public String name() {
                        return "planted";
                    }

                    @Override
                    public void run(Round round) throws Exception {
                        planted.run(round);
                    }
                };
        SoakResult result = new Soak(context, plan, List.of(part), soak -> {}).run();
        assertThat(result.isGood()).isFalse();
        return result.failures();
    }
}
