package io.loomverbs.internal.device;

import static java.lang.System.Logger.Level.WARNING;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * The system properties of the library, each with its possible values. {@code
 * docs/configuration.md} lists them; a test compares the two.
 */
public enum Setting {
    CLOSE_WARNING_MILLIS("closeWarningMillis", "5000", 1, 86_400_000),
    FAIR("fair", "true", 0, 0),
    HELD_WARNING_MILLIS("heldWarningMillis", "10000", 10, 86_400_000),
    LEAK_DETECTION("leakDetection", "sampled", "off", "sampled", "full"),
    /** The class that limits memory reads it, and knows its possible values. */
    MAX_ALLOCATED_MEMORY("maxAllocatedMemory", "the limit of direct buffers", 0, -1),
    POLLERS("pollers", "1", 1, 1024),
    POLLER_THREADS("pollerThreads", "false", 0, 0),
    TRACK_EVENTS("trackEvents", "false", 0, 0);

    private static final System.Logger LOGGER = System.getLogger("io.loomverbs");
    private static final String PREFIX = "loomverbs.";

    /** Properties that the library writes itself, and those of its tests. */
    private static final Set<String> OTHERS =
            Set.of("loomverbs.raisedParallelism", "loomverbs.device");

    private static final Set<String> WARNED_OF = ConcurrentHashMap.newKeySet();

    private final String property;
    private final String usual;
    private final int min;
    private final int max;

    /** Its possible words; empty if its value is not a word. */
    @SuppressWarnings("ImmutableEnumChecker") // of List.of
    private final List<String> choices;

    /**
     * @param usual its default, for people to read
     * @param max 0 for true or false, -1 for what is not parsed here
     */
    Setting(String name, String usual, int min, int max) {
        this.property = PREFIX + name;
        this.usual = usual;
        this.min = min;
        this.max = max;
        this.choices = List.of();
    }

    Setting(String name, String usual, String... choices) {
        this.property = PREFIX + name;
        this.usual = usual;
        this.min = 0;
        this.max = -1;
        this.choices = List.of(choices);
    }

    /** The property's whole name. */
    public String property() {
        return property;
    }

    /** Its default, for people to read. */
    public String usual() {
        return usual;
    }

    /** Its value, or the usual one. */
    public boolean isTrue() {
        String value = System.getProperty(property);
        checkFlag(value);
        return Boolean.parseBoolean(value == null ? usual : value.strip());
    }

    /** Its value, or the usual one. */
    public int number() {
        return parse(System.getProperty(property));
    }

    /** Its value, in lower case, or the usual one. */
    public String choice() {
        String value = System.getProperty(property);
        String word = value == null ? usual : value.strip().toLowerCase(Locale.ROOT);
        if (!choices.contains(word)) {
            String last = choices.getLast();
            String others = String.join(", ", choices.subList(0, choices.size() - 1));
            throw wrong(String.valueOf(value), others + " or " + last);
        }
        return word;
    }

    /**
     * The number of a value, or the default if it is null.
     *
     * @throws IllegalArgumentException if it is not a number within the limits
     */
    public int parse(@Nullable String value) {
        String text = value == null ? usual : value;
        try {
            int number = Integer.parseInt(text.strip());
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below, as a number that is out of range
        }
        throw wrong(text, min + " to " + max);
    }

    private void checkFlag(@Nullable String value) {
        if (value != null && !value.strip().matches("(?i)true|false")) {
            throw wrong(value, "true or false");
        }
    }

    private IllegalArgumentException wrong(String value, String limits) {
        return new IllegalArgumentException(
                "the system property " + property + " is \"" + value + "\", but must be " + limits);
    }

    /**
     * Refuses a property with a wrong value, and warns of one that does not exist, once.
     *
     * @throws IllegalArgumentException names the property, its value and the limits
     */
    public static void checkAll() {
        for (Setting setting : values()) {
            if (!setting.choices.isEmpty()) {
                setting.choice();
            } else if (setting.max > 0) {
                setting.number();
            } else if (setting.max == 0) {
                setting.isTrue();
            }
        }
        for (String name : new TreeSet<>(System.getProperties().stringPropertyNames())) {
            if (name.startsWith(PREFIX) && !isKnown(name) && WARNED_OF.add(name)) {
                LOGGER.log(WARNING, unknown(name));
            }
        }
    }

    private static boolean isKnown(String name) {
        return OTHERS.contains(name)
                || Arrays.stream(values()).anyMatch(setting -> setting.property.equals(name));
    }

    /** The warning about a property that does not exist. */
    static String unknown(String name) {
        String nearest =
                Arrays.stream(values())
                        .map(Setting::property)
                        .min(Comparator.comparingInt(known -> distance(known, name)))
                        .orElseThrow();
        String hint =
                distance(nearest, name) <= name.length() / 4
                        ? "did you mean " + nearest + "?"
                        : "there are "
                                + Arrays.stream(values())
                                        .map(Setting::property)
                                        .collect(Collectors.joining(", "));
        return "the system property " + name + " does not exist, and has no effect: " + hint;
    }

    /** How many letters have to be added, removed or replaced to make the one of the other. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal;
                if (Character.toLowerCase(a.charAt(i - 1))
                        != Character.toLowerCase(b.charAt(j - 1))) {
                    replaced++;
                }
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
