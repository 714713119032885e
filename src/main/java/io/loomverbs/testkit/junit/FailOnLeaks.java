package io.loomverbs.testkit.junit;

import io.loomverbs.testkit.Leaks;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * Fails each test that leaves something open, or events unacknowledged, and names it:
 * {@code @ExtendWith(FailOnLeaks.class)} at a test class or a method. The check comes after the
 * test's {@code @AfterEach} methods. What was opened before the test began may stay open, such as a
 * context of {@code @BeforeAll}; what the test has created in it may not.
 *
 * <p>It cannot tell which test has opened something: tests that open contexts at the same time in
 * one JVM need JUnit's {@code @ResourceLock} or {@code @Isolated}.
 *
 * @since 0.1.0
 */
public final class FailOnLeaks implements BeforeEachCallback, AfterEachCallback {
    private static final Namespace NAMESPACE = Namespace.create(FailOnLeaks.class);

    /** For JUnit. */
    public FailOnLeaks() {}

    /** Records which objects are open. */
    @Override
    public void beforeEach(ExtensionContext context) {
        context.getStore(NAMESPACE).put(Leaks.class, Leaks.watch());
    }

    /**
     * Looks for what was left open.
     *
     * @throws AssertionError if there is something; it names each object
     */
    @Override
    public void afterEach(ExtensionContext context) {
        Leaks leaks = context.getStore(NAMESPACE).remove(Leaks.class, Leaks.class);
        if (leaks != null) {
            leaks.check();
        }
    }
}
