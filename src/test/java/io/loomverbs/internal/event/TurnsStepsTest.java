package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;

/** When the gate is closed, and how many are let in, step by step: only the test's thread runs. */
@Timeout(60)
class TurnsStepsTest {
    private static final long QUIET_NANOS = 3_000_000_000L;
    private static final long LONG = 30_000_000_000L;

    /** What was to be started and was not. */
    private final List<Runnable> held = new ArrayList<>();

    /** How many of the next agents run at once, as if a carrier had been waiting for them. */
    private int prompt;

    private boolean idle;

    private final Turns turns =
            new Turns(
                    this::agent,
                    _ -> new Held(() -> {}),
                    () -> idle,
                    new Turns.Slice(1, 0, 0, 1, 2, LONG));

    private static final class Held extends Thread {
        private final Runnable started;

        Held(Runnable started) {
            this.started = started;
        }

        @Override
        @SuppressWarnings("UnsynchronizedOverridesSynchronized") // by one thread
        public void start() {
            started.run();
        }
    }

    private Thread agent(Runnable task) {
        return new Held(
                () -> {
                    if (--prompt >= 0) {
                        task.run();
                    } else {
                        held.add(task);
                    }
                });
    }

    private void look(long nanos) {
        turns.look(new Turns.Turn(Thread.currentThread()), System.nanoTime(), nanos);
    }

    /** A carrier that is idle serves what is outside. */
    @Test
    void noProbeIsSentWhileACarrierIsIdle() {
        idle = true;
        look(1);
        look(1);
        assertThat(held).isEmpty();
        assertThat(turns.closings()).isZero();
    }

    /** Its probe is late only because it was sent just before. */
    @Test
    void theGateStaysOpenIfACarrierIsIdleByNow() {
        look(1);
        assertThat(held).as("a probe").hasSize(1);
        idle = true;
        look(1);
        idle = false;
        look(1);
        assertThat(held).as("another").hasSize(2);
        assertThat(turns.closings()).isZero();
    }

    /** A probe that does not come back, then a thread that gives up at once. */
    private void closeGate() {
        look(1);
        assertThat(held).as("a probe").hasSize(1);
        assertThat(turns.closings()).isZero();
        look(1);
        assertThat(turns.closings()).isOne();
    }

    /** A stale event would else cost it the turn that it has passed for. */
    @Test
    void aThreadThatHasPassedMayWaitOnceBeforeItPassesAgain() throws InterruptedException {
        closeGate();
        EventQueue queue = EventQueue.ofOneCq(null);
        List<Long> left = new ArrayList<>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            for (int i = 0; i < 4; i++) {
                                left.add(turns.before(queue, 1, 1_000));
                            }
                        })
                .join();
        assertThat(left.stream().map(nanos -> nanos == 1_000 ? "waits" : "passes"))
                .containsExactly("passes", "waits", "passes", "waits");
    }

    /** Threads that pass would wait in vain where nothing outside runs. */
    @Test
    void theGateStaysOpenForSomeTimeAfterTheListWasDissolved() {
        long before = System.nanoTime();
        turns.dissolve(null);
        Turns.Turn turn = new Turns.Turn(Thread.currentThread());
        turns.look(turn, before + QUIET_NANOS - 1, 1);
        assertThat(held).isEmpty();
        turns.look(turn, System.nanoTime() + QUIET_NANOS, 1);
        assertThat(held).as("a probe").hasSize(1);
    }

    @Test
    void aNewSliceBeginsWithAProbe() {
        look(1);
        prompt = 1; // the keeper
        look(1);
        assertThat(turns.closings()).isOne();
        assertThat(held).as("a probe and an envoy").hasSize(2);
        look(1);
        assertThat(turns.closings()).isOne();
        assertThat(held).as("another probe").hasSize(3);
    }

    /** A slice that ends early costs few threads more than others gain by it. */
    @Test
    void aSliceOfFewThreadsIsLonger() {
        Turns few = new Turns(this::agent, _ -> new Held(() -> {}), () -> false, longForFew());
        Turns.Turn turn = new Turns.Turn(Thread.currentThread());
        few.look(turn, System.nanoTime(), 1);
        assertThat(held).as("a probe").hasSize(1);
        prompt = 1; // the keeper
        few.look(turn, System.nanoTime(), 1);
        assertThat(few.closings()).isOne();
        int sent = held.size();
        few.look(turn, System.nanoTime() + LONG / 2, 1);
        assertThat(held).as("no probe within the slice").hasSize(sent);
        few.look(turn, System.nanoTime() + LONG, 1);
        assertThat(held).as("another probe").hasSize(sent + 1);
    }

    private static Turns.Slice longForFew() {
        return new Turns.Slice(1, 0, LONG, 1, 2, LONG);
    }

    /** Those that are in the list have waited for a slice by then. */
    @Test
    void theGateIsClosedForThoseInTheListThoughTheProbeIsBack() {
        look(1);
        prompt = 1; // the keeper
        look(1);
        prompt = 1; // the probe
        look(1);
        assertThat(turns.closings()).isOne();
        look(1);
        assertThat(turns.closings()).isEqualTo(2);
    }

    /** Another crowd keeps the carriers from everything outside, which turns cannot change. */
    @Test
    void aWatcherThatSeesNothingRunDissolvesTheList() {
        look(1);
        long start = System.nanoTime();
        look(LONG);
        assertThat(turns.closings()).isOne();
        assertThat(turns.isInUse()).isFalse();
        assertThat(System.nanoTime() - start).isLessThan(LONG);
    }

    @Test
    void noMoreEnvoysAreSentAtOnceThanThereAreProcessors() {
        closeGate();
        for (int i = 0; i < 9; i++) {
            look(1);
        }
        assertThat(held).as("a probe and a keeper").hasSize(2);
        held.get(1).run();
        assertThat(held).as("and two envoys").hasSize(4);
        held.get(2).run();
        assertThat(held).as("and another").hasSize(5);
        assertThat(turns.isInUse()).isTrue();
    }
}
