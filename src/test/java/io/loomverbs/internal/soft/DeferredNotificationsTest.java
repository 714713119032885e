package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/** What a work request has caused is told before the next one is carried out. */
class DeferredNotificationsTest {
    private final DeferredNotifications after = new DeferredNotifications();
    private final List<String> told = new ArrayList<>();

    @Test
    void whatIsTakenNoteOfIsThereUntilItIsPerformed() {
        assertThat(after.isEmpty()).isTrue();
        after.later(() -> told.add("first"));
        assertThat(after.isEmpty()).isFalse();
        after.later(
                () -> {
                    assertThat(after.isEmpty()).as("it may be used meanwhile").isTrue();
                    after.later(() -> told.add("of the next run"));
                });
        after.run();
        assertThat(told).containsExactly("first");
        assertThat(after.isEmpty()).isFalse();
        after.run();
        assertThat(told).containsExactly("first", "of the next run");
        assertThat(after.isEmpty()).isTrue();
    }

    /** Memory that runs out for a moment costs no event. */
    @Test
    void aListenerWithoutMemoryIsToldAgain() {
        after.later(
                () -> {
                    told.add("try");
                    if (told.size() < 3) {
                        throw new StackOverflowError("planted");
                    }
                });
        after.run();
        assertThat(told).hasSize(3);
    }
}
