package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** Serving as a task of a {@code StructuredTaskScope}, which JDK 25 has as a preview. */
@Timeout(120)
class ServingInScopeTest {
    /** It ends with the scope, and the scope learns how it ended. */
    @Test
    void aScopeRunsIt() throws Exception {
        URL source = Objects.requireNonNull(getClass().getResource("ServingInScope.java"));
        assertThat(
                        ChildJvm.run(
                                List.of(),
                                List.of("--enable-preview", "--source", "25"),
                                Path.of(source.toURI()).toString()))
                .endsWith(
                        """
                        stopped: 0 left, threads []
                        failed: on purpose
                        cancelled: a sibling, threads []
                        unacknowledged: 0
                        """);
    }
}
