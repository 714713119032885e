package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** Threads of a test: what they throw fails the test, and so does one that does not end. */
final class Crew implements AutoCloseable {
    /** What a thread does; may throw what it likes. */
    interface Task {
        void run() throws Exception;
    }

    private final List<Thread> threads = new ArrayList<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();

    void add(Task task) {
        threads.add(
                Thread.ofPlatform()
                        .daemon()
                        .start(
                                () -> {
                                    try {
                                        task.run();
                                    } catch (Throwable t) {
                                        failures.add(t);
                                    }
                                }));
    }

    boolean failed() {
        return !failures.isEmpty();
    }

    @Override
    public void close() {
        long deadline = System.nanoTime() + SoftFixture.PATIENCE_NANOS;
        for (Thread t : threads) {
            try {
                long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                t.join(Math.max(1, millis));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        List<String> stuck = new ArrayList<>();
        for (Thread t : threads) {
            if (t.isAlive()) {
                stuck.add(t + " " + List.of(t.getStackTrace()));
            }
        }
        assertThat(failures).isEmpty();
        assertThat(stuck).isEmpty();
    }
}
