package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;

/** Where descriptors can be made, and what is said where they cannot. */
@Timeout(60)
class DescriptorTest {
    /** Without native access nothing native is tried, so that the JVM does not warn. */
    @Test
    void nativeAccessIsAskedForByName() throws Exception {
        String refusal =
                "a file descriptor cannot be made: native access is not enabled: start java with"
                        + " --enable-native-access=ALL-UNNAMED\n";
        assertThat(ChildJvm.run(List.of(), List.of(), DescriptorChild.class))
                .isEqualTo(refusal + refusal + "null 0\n");
    }

    /** With native access there is a descriptor, whether libibverbs is installed or not. */
    @Test
    void nativeAccessIsEnough() throws Exception {
        List<String> options = List.of("--enable-native-access=ALL-UNNAMED");
        assertThat(ChildJvm.run(List.of(), options, DescriptorChild.class))
                .isEqualTo("a descriptor\na descriptor\nnull 0\n");
    }
}
