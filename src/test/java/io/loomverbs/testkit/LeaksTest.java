package io.loomverbs.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.Verbs;
import io.loomverbs.support.Fixture;
import io.loomverbs.testkit.junit.FailOnLeaks;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;
import org.junit.platform.launcher.listeners.TestExecutionSummary.Failure;

/** What a test leaves is found and named, and nothing else. */
class LeaksTest {
    @Test
    void whatIsOpenIsNamed() {
        Leaks leaks = Leaks.watch();
        assertThat(leaks.found()).isEmpty();
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                CompletionQueue cq = context.createDirectCq(1)) {
            assertThat(leaks.found())
                    .containsExactlyInAnyOrder(
                            "context soft0 is open",
                            pd + " of soft0 is open",
                            cq + " of soft0 is open");
            assertThatThrownBy(leaks::check)
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining(cq + " of soft0 is open");
            Leaks later = Leaks.watch();
            assertThat(later.found()).isEmpty();
        }
        leaks.check();
    }

    @Test
    @SuppressWarnings("try") // its close may be interrupted, as the test may be
    void unacknowledgedEventsAreNamed() throws Exception {
        try (Fixture f = new Fixture()) {
            CompletionQueue cq = f.direct();
            Fixture.Source source = f.source(cq);
            cq.reqNotify(false);
            Leaks leaks = Leaks.watch();
            source.complete(1);
            try (CqEvent event = cq.getCqEvent(Fixture.PATIENCE)) {
                assertThat(event).isNotNull();
                assertThat(leaks.found())
                        .containsExactly(cq + " of " + f.context + " has unacknowledged events: 1");
            }
            leaks.check();
            source.overrun();
            leaks = Leaks.watch();
            try (var event = f.context.getAsyncEvent(Fixture.PATIENCE)) {
                assertThat(leaks.found())
                        .containsExactly(
                                "asynchronous event "
                                        + event
                                        + " of "
                                        + f.context
                                        + " is not acknowledged");
            }
        }
    }

    /** The extension fails the test that leaves something, and no other. */
    @Test
    void theExtensionFailsWhatLeaks() {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Leaking.class))
                                .build(),
                        listener);
        TestExecutionSummary summary = listener.getSummary();
        assertThat(summary.getTestsSucceededCount()).isEqualTo(1);
        assertThat(summary.getFailures()).hasSize(1);
        Failure failure = summary.getFailures().getFirst();
        assertThat(failure.getTestIdentifier().getDisplayName()).isEqualTo("leaves()");
        assertThat(failure.getException())
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(Leaking.left + " of soft0 is open");
        Leaking.left.close();
        Leaking.shared.close();
    }

    /** Of these tests one closes what it opens. */
    @ExtendWith(FailOnLeaks.class)
    static class Leaking {
        private static Context shared;
        private static ProtectionDomain left;

        @BeforeAll
        static void open() {
            shared = Verbs.device("soft0").open();
        }

        @Test
        void leaves() {
            left = shared.allocPd();
        }

        @Test
        void closes() {
            shared.allocPd().close();
        }
    }
}
