package io.loomverbs.internal.rdmacm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Verbs;
import io.loomverbs.cm.ConnectionManager;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

/** What is said when librdmacm cannot be used, and that nothing else fails then. */
class RdmacmProviderTest {
    @TempDir private Path dir;

    /** The module is not loaded, or the container was not given the file. */
    @Test
    void aMissingFileIsNamed() throws Exception {
        Path file = dir.resolve("rdma_cm");
        assertThat(RdmacmProvider.problem(file))
                .hasMessageStartingWith(file + " does not exist: load the module rdma_ucm");
        Files.createFile(file);
        assertThat(RdmacmProvider.problem(file)).isNull();
    }

    /** Where there is no RDMA device, the cause says so, as that of verbs does. */
    @Test
    void theCauseIsThatOfVerbsIfThatIsMissing() {
        Throwable verbs = Verbs.unavailabilityCause();
        Throwable cause = ConnectionManager.unavailabilityCause();
        if (verbs != null) {
            assertThat(cause).isNotNull();
            assertThatThrownBy(ConnectionManager::system)
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageStartingWith("librdmacm cannot be used: ")
                    .hasMessageContaining(cause.getMessage());
        }
    }

    /** Embedded devices do not need it. */
    @Test
    void embeddedDevicesHaveTheirOwn() {
        for (String name : new String[] {"soft0", "strict0"}) {
            assertThat(ConnectionManager.of(Verbs.device(name)))
                    .hasToString("the connection manager of " + name);
        }
    }
}
