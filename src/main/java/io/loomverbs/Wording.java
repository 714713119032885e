package io.loomverbs;

import java.math.BigDecimal;
import java.time.Duration;

/** How messages put numbers. */
final class Wording {
    private Wording() {}

    /** Such as {@code 1 event} and {@code 2 events}. */
    static String count(long n, String noun) {
        return n + " " + noun + (n == 1 ? "" : "s");
    }

    /** Such as {@code 0.2 s}. */
    static String seconds(Duration duration) {
        BigDecimal seconds =
                BigDecimal.valueOf(duration.getSeconds())
                        .add(BigDecimal.valueOf(duration.getNano(), 9));
        return seconds.stripTrailingZeros().toPlainString() + " s";
    }
}
