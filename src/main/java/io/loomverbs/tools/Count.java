package io.loomverbs.tools;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a number that may end in k, m or g: thousands of things, or 1024s of bytes. */
abstract class Count implements ITypeConverter<Integer> {
    private static final Pattern FORM = Pattern.compile("(-?\\d{1,18})([kmg]?)");
    private static final String SUFFIXES = " kmg";

    private final int base;

    private Count(int base) {
        this.base = base;
    }

    /** How many: 10k is 10,000. */
    static final class Things extends Count {
        Things() {
            super(1000);
        }
    }

    /** How large: 64k is 65,536 bytes. */
    static final class Bytes extends Count {
        Bytes() {
            super(1024);
        }
    }

    @Override
    public Integer convert(String text) {
        Matcher matcher = FORM.matcher(text.toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new TypeConversionException(
                    "'" + text + "' is not a number, such as 4096, 64k or 1m");
        }
        try {
            long value = Long.parseLong(matcher.group(1));
            String suffix = matcher.group(2);
            int thousands = suffix.isEmpty() ? 0 : SUFFIXES.indexOf(suffix);
            for (int i = 0; i < thousands; i++) {
                value = Math.multiplyExact(value, base);
            }
            return Math.toIntExact(value);
        } catch (ArithmeticException e) {
            throw new TypeConversionException("'" + text + "' is more than " + Integer.MAX_VALUE);
        }
    }
}
