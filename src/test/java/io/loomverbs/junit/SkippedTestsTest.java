package io.loomverbs.junit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

class SkippedTestsTest {
    @Test
    void aTestThatGivesUpFails() {
        assertThat(SkippedTests.failureOf(new TestAbortedException("it is Sunday"), false))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("it is Sunday");
    }

    @Test
    void aMissingLibibverbsIsToleratedUnlessNoSkipIs() {
        TestAbortedException missing = SkippedTests.withoutLibibverbs("no such file");
        assertThat(SkippedTests.failureOf(missing, false)).isSameAs(missing);
        assertThat(SkippedTests.failureOf(missing, true)).isInstanceOf(AssertionError.class);
    }

    @Test
    void aFailureStaysWhatItWas() {
        AssertionError failure = new AssertionError("libibverbs.so.1 is not there");
        assertThat(SkippedTests.failureOf(failure, true)).isSameAs(failure);
    }
}
