package io.loomverbs;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;

/** How messages put numbers. */
final class Wording {
    private Wording() {}

    /** Such as {@code 1 event} and {@code 2 events}. */
    static String count(long n, String noun) {
        return n + " " + noun + (n == 1 ? "" : "s");
    }

    /** A queue pair's number or a PSN, such as {@code 0x00002a}. */
    static String hex24(int n) {
        return String.format(Locale.ROOT, "0x%06x", n);
    }

    /** A constant's name, and the number where it stands for all that have no name. */
    static String named(Enum<?> value, Enum<?> nameless, int number) {
        return value == nameless ? value + "(" + number + ")" : value.toString();
    }

    /** Such as {@code 0.2 s}. */
    static String seconds(Duration duration) {
        BigDecimal seconds =
                BigDecimal.valueOf(duration.getSeconds())
                        .add(BigDecimal.valueOf(duration.getNano(), 9));
        return seconds.stripTrailingZeros().toPlainString() + " s";
    }

    /** Such as {@code 10 s}, or {@code 0.2 s} if it is less than one. */
    static String wholeSeconds(long nanos) {
        return nanos < 1_000_000_000
                ? seconds(Duration.ofMillis(nanos / 1_000_000))
                : nanos / 1_000_000_000 + " s";
    }
}
