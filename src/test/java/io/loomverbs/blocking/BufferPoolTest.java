package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/** Buffers that are lent and given back. */
@Timeout(60)
class BufferPoolTest {
    private final Fixture f = new Fixture();

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    /** Buffers do not overlap, also those of different slabs. */
    @Test
    void buffersAreApart() throws Exception {
        int bytes = 300_000; // three to a slab
        try (BufferPool pool = BufferPool.of(f.pd, bytes, 8)) {
            List<Buffer> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Buffer b = pool.take();
                b.memory().fill((byte) i);
                all.add(b);
            }
            assertThat(pool.tryTake()).isNull();
            assertThat(pool.take(Duration.ofMillis(1))).isNull();
            Set<Object> regions = new HashSet<>();
            for (int i = 0; i < 8; i++) {
                Buffer b = all.get(i);
                regions.add(b.region());
                assertThat(b.memory().toArray(ValueLayout.JAVA_BYTE))
                        .hasSize(bytes)
                        .containsOnly(i);
                b.close();
            }
            assertThat(regions).hasSize(3);
            assertThat(pool.available()).isEqualTo(8);
        }
    }

    /** No memory is registered before it is needed. */
    @Test
    void slabsAreMadeLate() throws Exception {
        try (BufferPool pool = BufferPool.of(f.pd, 1 << 20, 1 << 20)) {
            pool.take().close();
            Buffer again = pool.take();
            assertThat(again.offset()).isZero();
            again.close();
        }
    }

    /** A thread that finds the pool empty parks until a buffer comes back. */
    @Test
    void anEmptyPoolIsWaitedFor() throws Exception {
        try (BufferPool pool = BufferPool.of(f.pd, 64, 1)) {
            Buffer only = pool.take();
            Task<Void> waiter =
                    f.start(
                            "waiter",
                            () -> {
                                pool.take().close();
                                return null;
                            });
            waiter.parked();
            only.close();
            only.close();
            waiter.get();
            assertThat(pool.available()).isEqualTo(1);
        }
    }

    /** An interrupt ends the wait, and takes no buffer. */
    @Test
    void theWaitIsInterruptible() throws Exception {
        try (BufferPool pool = BufferPool.of(f.pd, 64, 1)) {
            Buffer only = pool.take();
            Task<Buffer> waiter = f.start("waiter", () -> pool.take()).parked();
            waiter.thread.interrupt();
            assertThat(waiter.failure()).isInstanceOf(InterruptedException.class);
            only.close();
            assertThat(pool.available()).isEqualTo(1);
        }
    }

    /**
     * A pool that is not complete is not closed, and says what is missing and where it was taken.
     */
    @Test
    void whatIsMissingIsNamed() throws Exception {
        BufferPool pool = f.own(BufferPool.traced(f.pd, 64, 4));
        Task<Buffer> taker = f.start("taker", () -> pool.take());
        Buffer taken = taker.get();
        assertThatThrownBy(pool::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("buffer 0, taken by thread taker")
                .hasMessageContaining("BufferPoolTest.");
        taken.close();
        pool.take().close();
        pool.close();
        assertThatThrownBy(pool::take).isInstanceOf(ClosedException.class);
    }

    /** No buffer is lent to two at once. */
    @Test
    @SuppressWarnings("ThreadPriorityCheck") // others are to come in between
    void eachIsLentOnce() throws Exception {
        try (BufferPool pool = BufferPool.of(f.pd, 64, 7)) {
            Set<Long> lent = ConcurrentHashMap.newKeySet();
            List<Task<Void>> tasks = new ArrayList<>();
            for (int t = 0; t < 16; t++) {
                tasks.add(
                        f.start(
                                "t" + t,
                                () -> {
                                    for (int i = 0; i < 2_000; i++) {
                                        try (Buffer b = pool.take()) {
                                            assertThat(lent.add(b.offset())).isTrue();
                                            Thread.yield();
                                            lent.remove(b.offset());
                                        }
                                    }
                                    return null;
                                }));
            }
            for (Task<Void> task : tasks) {
                task.get();
            }
            assertThat(pool.available()).isEqualTo(7);
        }
    }

    /** It has seen the pool open, and then gets nothing from it. */
    @Test
    void aThreadThatWaitsWhileThePoolIsClosedIsTold() throws Exception {
        Throwable told = null;
        for (int i = 0; i < 10_000 && told == null; i++) {
            BufferPool pool = f.own(BufferPool.of(f.pd, 64, 1));
            Buffer only = pool.take();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Task<Void> waiter =
                    f.start(
                            "waiter",
                            () -> {
                                try {
                                    pool.take().close();
                                } catch (ClosedException e) {
                                    failure.set(e);
                                }
                                return null;
                            });
            waiter.parked();
            only.close();
            try {
                pool.close(); // most times before the waiter has run
            } catch (IllegalStateException e) {
                assertThat(e).hasMessageContaining("not given back");
            }
            waiter.get();
            told = failure.get();
        }
        assertThat(told).as("a thread that was overtaken").isNotNull();
    }
}
