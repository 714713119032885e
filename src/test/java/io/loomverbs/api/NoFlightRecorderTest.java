package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;

/** Without the modules that record and manage, the library works. */
class NoFlightRecorderTest {
    /** Waits, and counts, and says whether there are such modules. */
    static final class Child {
        public static void main(String[] args) throws InterruptedException {
            try (Context context = Verbs.device("soft0").open();
                    CompletionQueue cq = context.createDirectCq(1)) {
                int n = cq.await(WorkCompletions.allocate(1), 1, Duration.ofMillis(1));
                System.out.println(n + " completions, arms " + context.stats().cqs().get(0).arms());
            }
            for (String name : List.of("jdk.jfr", "java.management")) {
                System.out.println(name + " " + ModuleLayer.boot().findModule(name).isPresent());
            }
        }
    }

    @Test
    void worksWithoutThem() throws Exception {
        assertThat(ChildJvm.run(Child.class, List.of("--limit-modules=java.base,java.logging")))
                .contains("0 completions, arms 1", "jdk.jfr false", "java.management false");
        assertThat(ChildJvm.run(Child.class, List.of()))
                .contains("0 completions, arms 1", "jdk.jfr true", "java.management true");
    }
}
