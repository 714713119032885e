package io.loomverbs;

import com.sun.management.HotSpotDiagnosticMXBean;

import io.loomverbs.internal.device.Setting;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The limit of the memory of {@code allocateMr}.
 *
 * @param bytes the limit
 * @param origin the option of java that sets it
 */
record AllocationLimit(long bytes, String origin) {
    static final String PROPERTY = Setting.MAX_ALLOCATED_MEMORY.property();

    private static final Pattern SIZE = Pattern.compile("([0-9]{1,18})([kmgt]?)");

    /** The limit of the property, or else of direct buffers. */
    static AllocationLimit of(@org.jspecify.annotations.Nullable String property) {
        return property == null
                ? ofDirectMemory()
                : new AllocationLimit(parse(property), property());
    }

    private static String property() {
        return "-D" + PROPERTY;
    }

    private static long parse(String text) {
        Matcher size = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (size.matches()) {
            int shift =
                    switch (size.group(2)) {
                        case "k" -> 10;
                        case "m" -> 20;
                        case "g" -> 30;
                        case "t" -> 40;
                        default -> 0;
                    };
            long number = Long.parseLong(size.group(1));
            if (number > 0 && number <= Long.MAX_VALUE >> shift) {
                return number << shift;
            }
        }
        throw new IllegalArgumentException(
                property()
                        + " is \""
                        + text
                        + "\", but must be a number of bytes from 1 on, such as 512m or 4g");
    }

    private static AllocationLimit ofDirectMemory() {
        long option = 0;
        try {
            option = MaxDirectMemorySize.get();
        } catch (LinkageError e) {
            // Without the module jdk.management the heap's limit is used.
        }
        return option > 0
                ? new AllocationLimit(option, "-XX:MaxDirectMemorySize")
                : new AllocationLimit(Runtime.getRuntime().maxMemory(), "-Xmx");
    }

    /** A separate class: it fails to load where jdk.management is missing. */
    private static final class MaxDirectMemorySize {
        /** 0 if the option is not given. */
        static long get() {
            HotSpotDiagnosticMXBean bean =
                    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
            if (bean == null) {
                return 0;
            }
            try {
                return Long.parseLong(bean.getVMOption("MaxDirectMemorySize").getValue());
            } catch (IllegalArgumentException e) {
                return 0; // not HotSpot
            }
        }
    }

    /** Why this many more bytes cannot be allocated while {@code inUse} are in use. */
    String refusal(long bytes, long inUse) {
        String raise =
                "raise it with "
                        + property()
                        + "=..."
                        + (origin.equals(property())
                                ? ""
                                : ", which by default is -XX:MaxDirectMemorySize, and that -Xmx");
        return "bytes is "
                + bytes
                + ", but of the "
                + this.bytes
                + " that allocateMr may have at once ("
                + origin
                + ") "
                + inUse
                + " are in use: close regions, or "
                + raise;
    }
}
