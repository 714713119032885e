package io.loomverbs.blocking;

import java.time.Duration;

/** Checks of arguments, worded as those of the API are. */
final class Check {
    private static final Duration FOREVER = Duration.ofNanos(Long.MAX_VALUE);

    private Check() {}

    static <T> T notNull(T value, String name) {
        if (value == null) {
            throw new NullPointerException(name + " is null");
        }
        return value;
    }

    static int inRange(String name, int value, int min, int max, String limit) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    name + " is " + value + ", but must be " + min + " to " + max + ": " + limit);
        }
        return value;
    }

    static void part(long offset, long length, long of, String whole) {
        if (length < 0) {
            throw new IllegalArgumentException(
                    "length is " + length + ", but must not be negative");
        }
        if (offset < 0 || offset > of - length) {
            throw new IllegalArgumentException(
                    "offset is "
                            + offset
                            + " and length "
                            + length
                            + ", but "
                            + whole
                            + " has "
                            + of
                            + " bytes");
        }
    }

    /** The nanoseconds of a timeout; Long.MAX_VALUE, unlimited, if there are too many. */
    static long nanos(String name, Duration timeout) {
        notNull(timeout, name);
        if (timeout.isNegative()) {
            throw new IllegalArgumentException(
                    name + " is " + timeout + ", but must not be negative: use 0 not to wait");
        }
        return timeout.compareTo(FOREVER) >= 0 ? Long.MAX_VALUE : timeout.toNanos();
    }
}
