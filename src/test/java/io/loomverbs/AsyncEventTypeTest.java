package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Ibv;

import org.junit.jupiter.api.Test;

import java.lang.reflect.Field;

/** Every kind of event that can come up has a name. */
class AsyncEventTypeTest {
    private static final String PREFIX = "EVENT_";

    @Test
    void everyEventOfVerbsHasItsNameThere() throws IllegalAccessException {
        int tried = 0;
        for (Field field : Ibv.class.getFields()) {
            if (field.getName().startsWith(PREFIX)) {
                AsyncEventType type = AsyncEventType.of(field.getInt(null));
                assertThat(type.name()).isEqualTo(field.getName().substring(PREFIX.length()));
                tried++;
            }
        }
        assertThat(tried).isEqualTo(AsyncEventType.values().length - 1);
        assertThat(AsyncEventType.of(19)).isEqualTo(AsyncEventType.OTHER); // WQ_FATAL
    }
}
