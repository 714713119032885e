package io.loomverbs;

import static java.lang.System.Logger.Level.WARNING;

import io.loomverbs.internal.device.Setting;

import org.jspecify.annotations.Nullable;

import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The level that the system property {@code loomverbs.leakDetection} chooses: which objects are
 * tracked, and so are reported if the program drops them without closing them.
 */
final class LeakDetection {
    /** How much is tracked. */
    enum Level {
        OFF,
        SAMPLED,
        FULL
    }

    static final Level LEVEL =
            Level.valueOf(Setting.LEAK_DETECTION.choice().toUpperCase(Locale.ROOT));

    /** Whether anything is reported. */
    static final boolean ENABLED = LEVEL != Level.OFF;

    /** At level SAMPLED one object in this many is tracked. */
    static final int INTERVAL = 128;

    private static final System.Logger LOGGER = System.getLogger("io.loomverbs");

    private LeakDetection() {}

    /** For a new object: null if it is not tracked. There are few contexts, so each is. */
    static @Nullable OpenTicket ticketFor(Object owner) {
        boolean tracked =
                switch (LEVEL) {
                    case OFF -> false;
                    case SAMPLED ->
                            owner instanceof Context
                                    || ThreadLocalRandom.current().nextInt(INTERVAL) == 0;
                    case FULL -> true;
                };
        return tracked ? new OpenTicket(owner, LeakWatch.DROPPED) : null;
    }

    static void report(String text) {
        LOGGER.log(WARNING, text);
    }
}
