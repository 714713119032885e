package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.reflect.Field;
import java.util.Objects;

/** The closers that wait at a ledger leave nothing behind, in whatever order they come and go. */
@Timeout(30)
class LedgerClosersTest {
    private static final long SHORT_NANOS = 40_000_000L;
    private static final Closer DESTROYING = TestCloser.destroying();

    private final Ledger ledger = new Ledger();

    /** Each closer leaves from under one that came later, so that someone always waits on top. */
    @Test
    void closersThatOverlapDoNotPileUp() throws Exception {
        ledger.tryDeliver();
        Thread closer = close(Long.MAX_VALUE);
        Thread below = close(SHORT_NANOS);
        for (int i = 0; i < 10; i++) {
            Thread above = close(SHORT_NANOS);
            below.join();
            assertThat(waiting()).isLessThanOrEqualTo(2);
            below = above;
        }
        below.join();
        assertThat(waiting()).isEqualTo(1);

        ledger.tryAck(1);
        closer.join();
        assertThat(waiting()).isZero();
        assertThat(ledger.isClosed()).isTrue();
    }

    /** Starts a closer, and returns once it waits, if it has to. */
    private Thread close(long nanos) throws Exception {
        Object before = top();
        Thread closer = Thread.startVirtualThread(() -> ledger.close(nanos, DESTROYING));
        while (Objects.equals(top(), before) && closer.isAlive()) {
            Thread.sleep(1);
        }
        return closer;
    }

    private int waiting() throws ReflectiveOperationException {
        int nodes = 0;
        for (Object node = top(); node != null; node = get(node, "next")) {
            nodes++;
        }
        return nodes;
    }

    private Object top() throws ReflectiveOperationException {
        return get(ledger, "parked");
    }

    private static Object get(Object object, String name) throws ReflectiveOperationException {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(object);
    }
}
