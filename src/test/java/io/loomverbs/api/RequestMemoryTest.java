package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;

/** Requests and batches are made for each call, in whatever number, whenever the collector runs. */
@Timeout(90)
class RequestMemoryTest {
    @Test
    void aMillionOfEach() throws Exception {
        List<String> options = List.of("-Xmx64m", "-XX:+DisableExplicitGC");
        assertThat(ChildJvm.run(List.of(), options, RequestMemoryChild.class)).isEqualTo("made\n");
    }
}
