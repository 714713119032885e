package io.loomverbs;

import java.util.Objects;

/**
 * A reusable batch of work completions of several CQs, filled in by {@link CqGroup#await}. {@link
 * #cq} says from which CQ each one was polled.
 *
 * <p>A batch is for one thread at a time. It is an ordinary heap object, and keeps the CQs of its
 * completions reachable.
 *
 * @since 0.1.0
 */
public final class GroupCompletions {
    private final WorkCompletions completions;
    private final CompletionQueue[] cqs;

    private GroupCompletions(int capacity) {
        this.completions = WorkCompletions.allocate(capacity);
        this.cqs = new CompletionQueue[capacity];
        completions.partOf(this);
    }

    /**
     * Makes an empty batch.
     *
     * @param capacity the most completions that it takes, 1 to 1048576
     * @return the batch
     * @throws IllegalArgumentException if the capacity is out of range
     */
    public static GroupCompletions allocate(int capacity) {
        return new GroupCompletions(capacity);
    }

    /**
     * The completions: those of one CQ are in the order in which the CQ had them.
     *
     * @return always the same batch, which the next {@link CqGroup#await} overwrites
     */
    public WorkCompletions completions() {
        return completions;
    }

    /**
     * The CQ from which a completion was polled.
     *
     * @param index which completion, 0 to {@code completions().size() - 1}
     * @return the CQ; {@link CompletionQueue#cqContext} is what it was created with
     * @throws IndexOutOfBoundsException if there is no such completion
     */
    public CompletionQueue cq(int index) {
        return cqs[Objects.checkIndex(index, completions.size())];
    }

    /** Polls at most {@code share} more: how many there were. */
    int poll(CompletionQueue cq, int share) {
        int before = completions.size();
        int n = cq.pollMore(completions, share);
        for (int i = before; i < before + n; i++) {
            cqs[i] = cq;
        }
        return n;
    }

    /** The text of {@link #completions}. */
    @Override
    public String toString() {
        return completions.toString();
    }
}
