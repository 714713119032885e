package io.loomverbs.tools.soak;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/** How often each part of a soak has done its work: a part that did nothing has shown nothing. */
public final class SoakCounts {
    /** The counters, with their names in JSON and their words for people. */
    enum Kind {
        MESSAGES("messages", "messages"),
        DESTROYED("destroyed", "CQs destroyed under load"),
        INTERRUPTS("interrupts", "interrupted waits"),
        TIMEOUTS("timeouts", "waits that timed out"),
        BROKEN_QPS("brokenQps", "QPs in error"),
        OVER_ACKS("overAcks", "surplus acks refused"),
        SLOW_BATCHES("slowBatches", "batches of slow handlers"),
        CONTEXTS("contexts", "contexts opened"),
        COLLECTIONS("collections", "collections forced");

        private final String jsonName;
        private final String words;

        Kind(String jsonName, String words) {
            this.jsonName = jsonName;
            this.words = words;
        }
    }

    private final Map<Kind, LongAdder> counts = new EnumMap<>(Kind.class);

    SoakCounts() {
        for (Kind kind : Kind.values()) {
            counts.put(kind, new LongAdder());
        }
    }

    void add(Kind kind, long n) {
        adder(kind).add(n);
    }

    private LongAdder adder(Kind kind) {
        return Objects.requireNonNull(counts.get(kind));
    }

    long of(Kind kind) {
        return adder(kind).sum();
    }

    /**
     * All messages that were received and checked.
     *
     * @return the number at this moment
     */
    public long messages() {
        return of(Kind.MESSAGES);
    }

    /**
     * The counts for people, without that of the messages.
     *
     * @return a line each
     */
    public String text() {
        return Arrays.stream(Kind.values())
                .skip(1)
                .map(kind -> String.format(Locale.ROOT, "%-24s %,d", kind.words, of(kind)))
                .collect(Collectors.joining("\n"));
    }

    /**
     * The counts as members of a JSON object.
     *
     * @return without braces
     */
    public String json() {
        return Arrays.stream(Kind.values())
                .map(kind -> "\"" + kind.jsonName + "\":" + of(kind))
                .collect(Collectors.joining(","));
    }
}
