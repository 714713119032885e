package io.loomverbs.project;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The messages of the exceptions that the library throws to its callers, as its source has them,
 * with {@code X} for what is known only when it runs.
 */
final class SourceMessages {
    private static final Path SOURCES = Path.of("src/main/java/io/loomverbs");
    private static final Pattern COMMENT =
            Pattern.compile("/\\*.*?\\*/|(?m)^\\s*//.*$", Pattern.DOTALL);
    private static final Pattern CREATION = Pattern.compile("new (\\w+(?:Exception|Error))\\(");

    /** What tells of a bug of the library itself, ends a wait inside it, or has no text. */
    private static final Set<String> INTERNAL =
            Set.of(
                    "AssertionError",
                    "ExceptionInInitializerError",
                    "InterruptedException",
                    "EventQueueEndedException",
                    "UnsatisfiedLinkError");

    /** What of internal packages gets to a caller as it is, or as a part of another's text. */
    private static final Pattern PASSED_ON =
            Pattern.compile("(?:Device|LostRegion|IllegalArgument)Exception");

    /** Their text begins with the verb and the errno. */
    private static final Pattern OF_A_VERB =
            Pattern.compile("(?:Verbs|Device|Post|LostRegion)Exception");

    private static final Pattern OF_A_CALL =
            Pattern.compile("(?:Connection|ConnectionTimeout|Rejected)Exception");

    private SourceMessages() {}

    static List<String> all() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files
                    .filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.startsWith(SOURCES.resolve("tools")))
                    .flatMap(file -> of(file).stream())
                    .collect(Collectors.toCollection(TreeSet::new))
                    .stream()
                    .toList();
        }
    }

    private static List<String> of(Path file) {
        String source = text(file);
        boolean internal = file.startsWith(SOURCES.resolve("internal"));
        List<String> messages = new ArrayList<>();
        Matcher creation = CREATION.matcher(source);
        while (creation.find()) {
            String type = creation.group(1);
            if (INTERNAL.contains(type) || (internal && !PASSED_ON.matcher(type).matches())) {
                continue;
            }
            String message = message(source, creation.end());
            if (message.startsWith("the device reports an unknown state")) {
                continue; // a driver that is newer than verbs
            }
            if (type.equals("ClosedException")) {
                messages.add("X is closed");
            } else if (!message.matches("[X :;,]*")) {
                String verb =
                        OF_A_VERB.matcher(type).matches()
                                ? "ibv_x: EX: "
                                : OF_A_CALL.matcher(type).matches() ? "rdma_x: EX: " : "";
                messages.add(verb + message);
            }
        }
        return messages;
    }

    /** The arguments as one text: its literals, and X for each part between them. */
    private static String message(String source, int from) {
        StringBuilder text = new StringBuilder();
        StringBuilder between = new StringBuilder();
        int depth = 1;
        for (int i = from; depth > 0; i++) {
            char c = source.charAt(i);
            if (c == '"') {
                if (!between.toString().replace("+", "").isBlank()) {
                    text.append('X');
                }
                between.setLength(0);
                for (i++; source.charAt(i) != '"'; i++) {
                    if (source.charAt(i) == '\\') {
                        i++;
                    }
                    text.append(source.charAt(i));
                }
            } else {
                depth += c == '(' ? 1 : c == ')' ? -1 : 0;
                between.append(c);
            }
        }
        String end = between.substring(0, between.length() - 1).strip();
        return text + (end.isEmpty() || end.startsWith(",") ? "" : "X"); // a cause is no text
    }

    private static String text(Path file) {
        try {
            return COMMENT.matcher(Files.readString(file)).replaceAll("");
        } catch (IOException e) {
            throw new AssertionError(file.toString(), e);
        }
    }
}
