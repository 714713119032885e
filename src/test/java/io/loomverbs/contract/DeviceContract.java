package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/**
 * What every device must do, tried through the public API on the device of {@link Fixture}: what
 * the classes have in common that try it.
 */
@Tag("device")
@Timeout(60)
abstract class DeviceContract {
    static final int GRH = 40;

    final Fixture f = new Fixture();
    final CompletionQueue sends = f.polled();
    final CompletionQueue receives = f.polled();
    final WorkCompletions batch = WorkCompletions.allocate(16);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    QpConfig sending(QpType type) {
        return QpConfig.of(type, sends).withSge(4, 4).withInlineData(64);
    }

    QpConfig receiving(QpType type) {
        return QpConfig.of(type, receives).withSge(4, 4);
    }

    Pair pair(QpType type) {
        return f.new Pair(type, sending(type), receiving(type));
    }

    static int headerOf(QpType type) {
        return type == QpType.UD ? GRH : 0;
    }

    void quiet() {
        assertThat(sends.poll(batch)).as("%s", batch).isZero();
        assertThat(receives.poll(batch)).as("%s", batch).isZero();
    }
}
