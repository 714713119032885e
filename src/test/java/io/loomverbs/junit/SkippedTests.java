package io.loomverbs.junit;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.opentest4j.TestAbortedException;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Fails each test that gives up, since a skipped test proves nothing. One reason is tolerated:
 * there is no libibverbs on this machine. With {@code LOOMVERBS_NO_SKIPS} in the environment, not
 * even that is. Registered for every test by {@code META-INF/services}; ArchitectureTest refuses
 * the annotations that disable a test.
 */
public final class SkippedTests
        implements TestExecutionExceptionHandler,
                LifecycleMethodExecutionExceptionHandler,
                TestExecutionListener {
    private static final String TOLERATED = "libibverbs.so.1 is not there";

    private final AtomicInteger notRun = new AtomicInteger();

    /** Ends the test because libibverbs is missing. */
    public static TestAbortedException withoutLibibverbs(String problem) {
        return new TestAbortedException(TOLERATED + ": " + problem);
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable thrown)
            throws Throwable {
        throw failureOf(thrown, System.getenv("LOOMVERBS_NO_SKIPS") != null);
    }

    @Override
    public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable thrown)
            throws Throwable {
        handleTestExecutionException(context, thrown);
    }

    @Override
    public void handleBeforeEachMethodExecutionException(ExtensionContext context, Throwable thrown)
            throws Throwable {
        handleTestExecutionException(context, thrown);
    }

    static Throwable failureOf(Throwable thrown, boolean noSkips) {
        boolean isSkip = thrown instanceof TestAbortedException;
        boolean isTolerated = !noSkips && ("" + thrown.getMessage()).startsWith(TOLERATED);
        return isSkip && !isTolerated
                ? new AssertionError(
                        "a skipped test proves nothing: " + thrown.getMessage(), thrown)
                : thrown;
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            notRun.incrementAndGet();
        }
    }

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        if (notRun.get() > 0) {
            System.out.println(
                    notRun
                            + " tests were not run, as "
                            + TOLERATED
                            + ". On Debian and Ubuntu: apt-get install libibverbs1");
        }
    }
}
