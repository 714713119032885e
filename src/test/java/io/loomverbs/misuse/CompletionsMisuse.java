package io.loomverbs.misuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.WorkCompletions;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;

/** Bad capacities of batches of completions, and indexes beyond what is in one. */
final class CompletionsMisuse extends MisuseTable {
    CompletionsMisuse() {
        for (int n : new int[] {0, -1, (1 << 20) + 1, MAX}) {
            iae(
                    "WorkCompletions.allocate(int)",
                    s -> WorkCompletions.allocate(n),
                    "capacity is " + n,
                    "1 to 1048576");
        }
        for (Method method : WorkCompletions.class.getMethods()) {
            if (Modifier.isStatic(method.getModifiers())
                    || method.getParameterCount() != 1
                    || method.getParameterTypes()[0] != int.class
                    || method.getDeclaringClass() != WorkCompletions.class) {
                continue;
            }
            for (int index : new int[] {-1, 1, MAX, Integer.MIN_VALUE}) {
                fails(
                        IndexOutOfBoundsException.class,
                        ApiMethods.name(method),
                        s -> {
                            WorkCompletions batch = WorkCompletions.allocate(4);
                            s.rc.message(1, 8);
                            assertThat(s.direct.await(WorkCompletions.allocate(1))).isOne();
                            assertThat(s.direct.await(batch)).isOne();
                            s.rc.recv(2);
                            ApiMethods.invoke(method, batch, index);
                        },
                        Integer.toString(index),
                        "1");
            }
        }
    }
}
