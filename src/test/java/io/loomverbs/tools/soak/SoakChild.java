package io.loomverbs.tools.soak;

import io.loomverbs.Context;
import io.loomverbs.Verbs;

import java.lang.foreign.Arena;
import java.time.Duration;

/** A soak that keeps native memory in each round, and prints what was found. */
final class SoakChild {
    private static final int BYTES = 16 << 20;

    private SoakChild() {}

    public static void main(String[] args) throws InterruptedException {
        SoakPlan plan = new SoakPlan(Duration.ofSeconds(2), 2, true);
        try (Context context = Verbs.device("soft0").open()) {
            SoakTest.failuresWith(
                            context, plan, round -> Arena.global().allocate(BYTES).fill((byte) 1))
                    .forEach(System.out::println);
        }
    }
}
