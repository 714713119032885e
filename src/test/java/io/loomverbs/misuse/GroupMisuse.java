package io.loomverbs.misuse;

import io.loomverbs.CompletionQueue;
import io.loomverbs.GroupCompletions;
import io.loomverbs.Serving;

import java.time.Duration;

/** Bad input to groups of CQs, and CQs that cannot be members. */
final class GroupMisuse extends MisuseTable {
    GroupMisuse() {
        String add = "CqGroup.add(CompletionQueue)";
        ise(add, s -> s.group.add(s.polled), "cq-", "without a channel");
        ise(add, s -> s.group.add(s.shared), "cq-", "delivers to its channel");
        ise(
                add,
                s -> {
                    CompletionQueue cq = s.f.direct();
                    s.group.add(cq);
                    s.group.add(cq);
                },
                "is being served by another handler",
                "cq-group-");
        ise(
                add,
                s -> {
                    CompletionQueue cq = s.f.direct();
                    Serving server = cq.serve(batch -> {});
                    try {
                        s.group.add(cq);
                    } finally {
                        server.close();
                    }
                },
                "is being served by another handler");
        closed(
                add,
                s -> {
                    CompletionQueue gone = s.f.direct();
                    gone.close();
                    s.group.add(gone);
                },
                "cq-",
                "is closed");
        String await = "CqGroup.await(GroupCompletions, int)";
        String awaitTimed = "CqGroup.await(GroupCompletions, int, Duration)";
        for (int min : new int[] {0, -1, 5, MAX, Integer.MIN_VALUE}) {
            iae(
                    await,
                    s -> s.group.await(GroupCompletions.allocate(4), min),
                    "min is " + min,
                    "1 to 4",
                    "capacity");
            iae(
                    awaitTimed,
                    s -> s.group.await(GroupCompletions.allocate(4), min, Duration.ZERO),
                    "min is " + min);
        }
        iae(
                awaitTimed,
                s -> s.group.await(GroupCompletions.allocate(4), 1, Duration.ofSeconds(-1)),
                "timeout is");
        for (int n : new int[] {0, -1, (1 << 20) + 1, MAX}) {
            iae(
                    "GroupCompletions.allocate(int)",
                    s -> GroupCompletions.allocate(n),
                    "capacity is " + n,
                    "1 to 1048576");
        }
        for (int index : new int[] {-1, 0, MAX, Integer.MIN_VALUE}) {
            fails(
                    IndexOutOfBoundsException.class,
                    "GroupCompletions.cq(int)",
                    s -> GroupCompletions.allocate(4).cq(index),
                    Integer.toString(index));
        }
    }
}
