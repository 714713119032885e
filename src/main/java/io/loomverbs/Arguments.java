package io.loomverbs;

import java.time.Duration;

/** Checks of arguments, worded in one way: the argument, its value, the limit. */
final class Arguments {
    private static final Duration FOREVER = Duration.ofNanos(Long.MAX_VALUE);

    private Arguments() {}

    static <T> T notNull(T value, String name) {
        // Not with a message supplier, which would be an allocation on every call that is not
        // compiled.
        if (value == null) {
            throw new NullPointerException(name + " is null");
        }
        return value;
    }

    /** The message names the range and then the limit, such as {@code "max_cqe of soft0"}. */
    static long inRange(String name, long value, long min, long max, String limit) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    name + " is " + value + ", but must be " + min + " to " + max + ": " + limit);
        }
        return value;
    }

    static int inRange(String name, int value, int min, int max, String limit) {
        return (int) inRange(name, (long) value, min, max, limit);
    }

    static String name(String argument, String value) {
        notNull(value, argument);
        if (value.isBlank()) {
            throw new IllegalArgumentException(
                    argument + " is \"" + value + "\", but must not be blank");
        }
        return value;
    }

    /** The nanoseconds of a timeout; {@link Long#MAX_VALUE}, unlimited, if there are too many. */
    static long nanos(String name, Duration timeout) {
        notNull(timeout, name);
        if (timeout.isNegative()) {
            throw new IllegalArgumentException(
                    name
                            + " is "
                            + Wording.seconds(timeout)
                            + ", but must not be negative: use 0 not to wait");
        }
        return timeout.compareTo(FOREVER) >= 0 ? Long.MAX_VALUE : timeout.toNanos();
    }

    /** Contexts of one device have one name, so the message does not use it to tell them apart. */
    static void sameContext(String name, Object value, Context of, Context expected, String user) {
        if (of != expected) {
            throw new IllegalArgumentException(
                    name + " is " + value + ", which is of another context than " + user);
        }
    }
}
