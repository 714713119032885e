package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.concurrent.atomic.AtomicReference;

/** What threads of the library have of the application whose call makes them. */
class HelperThreadsTest {
    /** Else an interrupt of the group would reach them, and they would keep the group. */
    @Test
    void theyAreNotOfTheGroupOfTheCaller() throws InterruptedException {
        ThreadGroup group = new ThreadGroup("application");
        AtomicReference<Thread> made = new AtomicReference<>();
        Thread caller =
                new Thread(group, () -> made.set(HelperThreads.unstarted("of the test", () -> {})));
        caller.start();
        caller.join();
        assertThat(made.get().getThreadGroup().getParent()).isNull();
        assertThat(made.get().getContextClassLoader()).isNull();
        assertThat(made.get().isDaemon()).isTrue();
    }
}
