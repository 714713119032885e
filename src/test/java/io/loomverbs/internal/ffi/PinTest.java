package io.loomverbs.internal.ffi;

import static io.loomverbs.internal.event.Collected.assertCollected;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.ref.WeakReference;

/** What is pinned stays, though nothing knows it or its pin; what is released goes. */
@Timeout(60)
class PinTest {
    private static WeakReference<Object> forgotten() {
        Object object = new Object();
        assertThat(Pin.of(object).object()).isSameAs(object);
        return new WeakReference<>(object);
    }

    private static void collect() throws InterruptedException {
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(20);
        }
    }

    @Test
    void whatIsPinnedStays() throws Exception {
        WeakReference<Object> reference = forgotten();
        collect();
        assertThat(reference.get()).isNotNull();
    }

    private static WeakReference<Object> released() {
        Object object = new Object();
        Pin pin = Pin.of(object);
        pin.release();
        pin.release();
        assertThat(pin.object()).isNull();
        return new WeakReference<>(object);
    }

    @Test
    void whatIsReleasedGoes() throws Exception {
        assertCollected(released());
    }
}
