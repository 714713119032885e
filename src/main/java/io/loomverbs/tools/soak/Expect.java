package io.loomverbs.tools.soak;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;

import java.util.Locale;

/** What must hold in a soak. */
final class Expect {
    private Expect() {}

    /**
     * @throws IllegalStateException if it does not hold
     */
    @FormatMethod
    static void that(boolean holds, @FormatString String what, Object... values) {
        if (!holds) {
            throw new IllegalStateException(String.format(Locale.ROOT, what, values));
        }
    }

    /** Expects that a call is refused with an {@link IllegalStateException}. */
    static void refused(String call, Runnable body) {
        try {
            body.run();
        } catch (IllegalStateException e) {
            return;
        }
        throw new IllegalStateException(call + " was not refused");
    }
}
