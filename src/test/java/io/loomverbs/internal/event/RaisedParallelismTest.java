package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Properties;

/** What is added to the scheduler's parallelism, by any number of copies of the library. */
class RaisedParallelismTest {
    private final FakeScheduler scheduler = new FakeScheduler();
    private final RaisedParallelism one = copy();
    private final RaisedParallelism two = copy();

    private RaisedParallelism copy() {
        return new RaisedParallelism(scheduler, scheduler.property);
    }

    /** Nothing is left behind, but what the last test has written itself. */
    @AfterEach
    void checkNothingIsRecorded() {
        assertThat(System.clearProperty(scheduler.property)).isNull();
    }

    @Test
    void eachCopyAddsAndTakesBackItsOwn() {
        assertThat(one.raise()).isNull();
        assertThat(two.raise()).isNull();
        assertThat(two.raise()).isNull();
        assertThat(scheduler.parallelism).isEqualTo(5);
        assertThat(System.getProperty(scheduler.property)).isEqualTo("3 to 5");
        assertThat(one.isUnchanged()).isTrue();
        one.lower();
        assertThat(scheduler.parallelism).isEqualTo(4);
        assertThat(two.isUnchanged()).isTrue();
        two.lower();
        two.lower();
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    /** What is taken back is recorded, though memory has run out by then. */
    @Test
    void itIsLoweredWithoutMemory() throws Exception {
        List<String> options = List.of("-Xmx16m", "-XX:+UseSerialGC", "-XX:-UseTLAB");
        assertThat(ChildJvm.run(LowerWithoutMemoryChild.class, options))
                .isEqualTo("2, recorded null\n");
    }

    @Test
    void whatSomebodyElseSetsStays() {
        assertThat(one.raise()).isNull();
        scheduler.parallelism = 8;
        assertThat(one.isUnchanged()).isFalse();
        assertThat(two.raise()).contains("other code has changed the parallelism");
        one.lower();
        assertThat(scheduler.parallelism).isEqualTo(8);
        assertThat(two.raise()).as("from there").isNull();
        assertThat(scheduler.parallelism).isEqualTo(9);
        two.lower();
        assertThat(scheduler.parallelism).isEqualTo(8);
    }

    @Test
    void whatWasSetIsTakenBackThoughTheRecordWasCleared() {
        assertThat(one.raise()).isNull();
        assertThat(two.raise()).isNull();
        System.clearProperty(scheduler.property);
        assertThat(one.isUnchanged()).isFalse();
        assertThat(two.isUnchanged()).isTrue();
        two.lower();
        assertThat(scheduler.parallelism).isEqualTo(3);
        one.lower();
        assertThat(scheduler.parallelism).isEqualTo(2);
        one.lower();
        assertThat(scheduler.parallelism).as("nothing is left").isEqualTo(2);
    }

    /** A framework restores the properties after each of its tests. */
    @Test
    void nothingAddsUpWhileRecordsAreRestored() {
        for (int i = 0; i < 3; i++) {
            assertThat(one.raise()).isNull();
            String during = System.getProperty(scheduler.property);
            System.clearProperty(scheduler.property);
            one.lower();
            assertThat(scheduler.parallelism).isEqualTo(2);
            System.setProperty(scheduler.property, during);
            assertThat(two.raise()).as("after all was taken back").isNull();
            assertThat(scheduler.parallelism).isEqualTo(3);
            two.lower();
            assertThat(scheduler.parallelism).isEqualTo(2);
        }
    }

    /** Other code sets what was there before the raise: that was not raised. */
    @Test
    void whatOtherCodeHasUndoneIsNotTakenBack() {
        assertThat(one.raise()).isNull();
        scheduler.parallelism = 2;
        assertThat(one.raise()).isNull();
        one.lower();
        one.lower();
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    @Test
    void aRecordThatIsNoneRefuses() {
        System.setProperty(scheduler.property, "much");
        assertThat(one.raise()).isNotNull();
        assertThat(scheduler.parallelism).isEqualTo(2);
        System.clearProperty(scheduler.property);
    }

    @Test
    void theLimitIsToldAndNothingIsRecorded() {
        scheduler.limited = true;
        assertThat(one.raise()).contains("cannot be raised: ").contains("at the limit");
        scheduler.limited = false;
        assertThat(one.raise()).as("it may pass").isNull();
        scheduler.limited = true;
        one.lower();
        assertThat(scheduler.parallelism).isEqualTo(3);
    }

    /** The record says what is left of it, though other code had set it for a while. */
    @Test
    void whatIsTakenBackMeanwhileStaysRaised() {
        assertThat(one.raise()).isNull();
        assertThat(two.raise()).isNull();
        scheduler.parallelism = 8;
        one.lower();
        assertThat(System.getProperty(scheduler.property)).isEqualTo("1 to 4");
        scheduler.parallelism = 4;
        assertThat(two.isUnchanged()).isTrue();
        two.lower();
        assertThat(scheduler.parallelism).isEqualTo(3);
    }

    /** It would never be taken back. */
    @Test
    void aRaiseThatCannotBeRecordedIsNone() {
        Error error = new OutOfMemoryError("planted");
        Properties before = System.getProperties();
        Properties full =
                new Properties() {
                    @Override
                    public synchronized Object setProperty(String key, String value) {
                        if (key.equals(scheduler.property)) {
                            throw error;
                        }
                        return super.setProperty(key, value);
                    }
                };
        full.putAll(before);
        System.setProperties(full);
        try {
            assertThatThrownBy(one::raise).isSameAs(error);
        } finally {
            System.setProperties(before);
        }
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    /** The JDK raises first, and then tries to start a carrier. */
    @Test
    void withoutMemoryForACarrierNothingStaysRaised() {
        scheduler.startsNoThread = true;
        assertThat(one.raise()).isEqualTo("there is no memory for another carrier");
        assertThat(scheduler.parallelism).isEqualTo(2);
    }
}
