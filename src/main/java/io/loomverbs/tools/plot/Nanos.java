package io.loomverbs.tools.plot;

import java.util.Locale;

/** Times in the unit that fits: 830 ns, 12.3 us, 4.56 ms, 1.16 s. */
public final class Nanos {
    private static final String[] UNITS = {"ns", "us", "ms", "s"};
    private static final int THOUSAND = 1000;
    private static final int DIGITS = 3;

    private Nanos() {}

    /**
     * Writes a time for people, with three digits.
     *
     * @param nanos the time in nanoseconds, not negative
     * @return number and unit
     */
    public static String text(double nanos) {
        double value = nanos;
        int unit = 0;
        // What would be rounded to 1000 has the next unit.
        while (value >= THOUSAND - 0.5 && unit < UNITS.length - 1) {
            value /= THOUSAND;
            unit++;
        }
        int whole = value >= 99.95 ? 3 : value >= 9.995 ? 2 : 1;
        int decimals = unit == 0 ? 0 : DIGITS - whole;
        return String.format(Locale.ROOT, "%." + decimals + "f %s", value, UNITS[unit]);
    }
}
