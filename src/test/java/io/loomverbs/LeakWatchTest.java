package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.atomic.AtomicInteger;

/** The thread that looks for dropped objects. */
@Timeout(60)
class LeakWatchTest {
    private final AtomicInteger started = new AtomicInteger();

    /** A watch that has no memory ends before the thread that starts it goes on. */
    @Test
    void aWatchThatEndsAtOnceIsFollowedByAnother() {
        LeakWatch watch = new LeakWatch(this::startInterrupted);
        watch.opened(new OpenTicket(this, LeakWatch.DROPPED));
        assertThat(watch.isOn()).isFalse();
        watch.opened(new OpenTicket(this, LeakWatch.DROPPED));
        assertThat(started).hasValue(2);
    }

    private void startInterrupted(LeakWatch watch) {
        started.incrementAndGet();
        Thread thread =
                new Thread(
                        () -> {
                            Thread.currentThread().interrupt();
                            watch.watch();
                        });
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
