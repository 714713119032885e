package io.loomverbs.misuse;

import io.loomverbs.ClosedException;
import io.loomverbs.PostException;
import io.loomverbs.VerbsException;
import io.loomverbs.misuse.Misuse.Attempt;
import io.loomverbs.support.Differences;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Rows of bad input to one part of the API, and the words in which its constructor says them. */
abstract class MisuseTable {
    /** soft0 never refuses what libibverbs asks of a kernel. */
    static final boolean REAL = !Differences.EMBEDDED;

    static final int MAX = Integer.MAX_VALUE;
    static final String MAX_S = Integer.toString(MAX);

    private final List<Misuse> rows = new ArrayList<>();

    final List<Misuse> rows() {
        return List.copyOf(rows);
    }

    final void iae(String method, Attempt attempt, String... message) {
        fails(IllegalArgumentException.class, method, attempt, message);
    }

    final void ise(String method, Attempt attempt, String... message) {
        fails(IllegalStateException.class, method, attempt, message);
    }

    final void closed(String method, Attempt attempt, String... message) {
        fails(ClosedException.class, method, attempt, message);
    }

    final void errno(String method, Attempt attempt, String... message) {
        fails(VerbsException.class, method, attempt, message);
    }

    final void post(String method, Attempt attempt, String... message) {
        fails(PostException.class, method, attempt, message);
    }

    final void fails(Class<?> exception, String method, Attempt attempt, String... message) {
        rows.add(new Misuse(method, attempt, exception, List.of(message)));
    }

    static MemorySegment freed() {
        try (Arena arena = Arena.ofShared()) {
            return arena.allocate(64);
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // a few bytes, for as long as the tests run
    static MemorySegment confined() {
        return Arena.ofConfined().allocate(64);
    }
}
