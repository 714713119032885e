package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The documents name what exists, link to what exists, and use plain words. */
class DocumentsTest {
    private static final int LONGEST_LINE = 120;
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
    private static final Pattern WORD = Pattern.compile("\\w+");
    private static final Pattern TYPE =
            Pattern.compile("\\b(?:class|interface|enum|record)\\s+([A-Z]\\w*)");

    /** A type, perhaps with members: {@code Ledger.tryAck}, {@code Verbs.device("soft0")}. */
    private static final Pattern NAMED_TYPE =
            Pattern.compile("([A-Z]\\w*[a-z]\\w*)((?:\\.\\w+)*)(?:\\(.*)?");

    private static final Pattern METHOD = Pattern.compile("\\.([a-z]\\w*)");
    private static final Pattern IDENTIFIER =
            Pattern.compile("[a-z]+[A-Z]\\w*|[A-Z]+(?:_[A-Z0-9]+)+");
    private static final Pattern FILE =
            Pattern.compile("(?:src|docs|\\.ci)/[\\w./-]+|\\./\\w+|[\\w-]+\\.(?:md|pml|inc|c)");

    private static final Pattern QUALIFIED =
            Pattern.compile("\\bio\\.loomverbs(?:\\.[a-z]+)*\\.[A-Z]\\w*");

    /** What plain English does without: see CONTRIBUTING. */
    private static final Pattern UNWANTED =
            Pattern.compile("(?i)\\b(?:who|whoever|for ever|heart|house|rooms?)\\b|\\bnobody's\\b");

    private static final Pattern WHO =
            Pattern.compile("(?i)\\b(?:who|whoever|for ever|heart|house)\\b");

    private static final List<String> PACKAGES =
            List.of(
                    "java.lang",
                    "java.lang.foreign",
                    "java.lang.invoke",
                    "java.lang.ref",
                    "java.util",
                    "java.util.concurrent",
                    "java.util.concurrent.locks",
                    "java.nio.channels.spi");

    /** Names that no source of this project has: of C, of Promela, and this. */
    private static final Set<String> FOREIGN =
            Set.of(
                    "Awaiter",
                    "DocumentsTest",
                    "IBV_SEND_IP_CSUM",
                    "IBV_EVENT_PORT_ERR",
                    "IBV_EVENT_PORT_ACTIVE");

    private static final Sources SOURCES = Sources.read();

    /** All words of the sources, and the files that declare a type. */
    private record Sources(Set<String> words, Map<String, Set<String>> wordsOfTypes) {
        static Sources read() {
            Sources all = new Sources(new HashSet<>(), new HashMap<>());
            for (Path path : files(Path.of("src"), Path.of("docs/model"))) {
                String name = path.toString();
                if (!name.endsWith(".md") && !path.endsWith("DocumentsTest.java")) {
                    all.add(name.endsWith(".java"), text(path));
                }
            }
            all.add(false, text(Path.of("pom.xml")));
            return all;
        }

        private void add(boolean java, String text) {
            Set<String> found =
                    WORD.matcher(text).results().map(m -> m.group()).collect(Collectors.toSet());
            words.addAll(found);
            if (java) {
                TYPE.matcher(text)
                        .results()
                        .forEach(
                                m ->
                                        wordsOfTypes
                                                .computeIfAbsent(m.group(1), t -> new HashSet<>())
                                                .addAll(found));
            }
        }
    }

    @Test
    void namesExist() {
        assertThat(problems(DocumentsTest::wrongNames)).isEmpty();
    }

    /** Commands, too, name classes where they are. */
    @Test
    void qualifiedNamesExist() {
        assertThat(problems((path, text) -> misplacedClasses(text))).isEmpty();
        assertThat(misplacedClasses(text(Path.of("pom.xml")))).isEmpty();
    }

    @Test
    void linksLeadSomewhere() {
        assertThat(problems(DocumentsTest::deadLinks)).isEmpty();
    }

    @Test
    void linesAreShort() {
        assertThat(problems((path, text) -> longLines(text))).isEmpty();
    }

    @Test
    void wordsArePlain() {
        assertThat(problems((path, text) -> unwantedWords(text))).isEmpty();
    }

    /** Comments and messages use plain words, too. */
    @Test
    void sourcesArePlain() {
        List<String> all = new ArrayList<>();
        for (Path path : files(Path.of("src"))) {
            if (!path.toString().matches(".*\\.(java|txt)")
                    || path.endsWith("DocumentsTest.java")
                    || path.endsWith("THIRD-PARTY.txt")) {
                continue;
            }
            WHO.matcher(text(path)).results().forEach(m -> all.add(path + ": " + m.group()));
        }
        assertThat(all).isEmpty();
    }

    /** What is wrong is found. */
    @Test
    void mistakesAreFound() {
        Path path = Path.of("docs/guide.md");
        assertThat(wrongNames(path, "`Ledgr`, `Ledger.tryAkk` and `Ledger.tryAck`"))
                .containsExactly("Ledgr", "Ledger.tryAkk");
        assertThat(wrongNames(path, "`ReentrantLock`, `cq.poll(batch)`, `cq.pol(batch)`"))
                .containsExactly("cq.pol(batch)");
        assertThat(wrongNames(path, "`src/main/Nothing.java`, `NO_SUCH_FAULT`, `tryAkkAsync`"))
                .containsExactly("src/main/Nothing.java", "NO_SUCH_FAULT", "tryAkkAsync");
        assertThat(deadLinks(path, "[a](nothing.md) [b](design.md#nothing) [c](design.md#soft0)"))
                .containsExactly("nothing.md", "design.md#nothing");
        assertThat(misplacedClasses("java io.loomverbs.Ledger, io.loomverbs.Verbs"))
                .containsExactly("io.loomverbs.Ledger");
        assertThat(longLines("| " + "x".repeat(121) + "\n" + "x".repeat(121))).hasSize(1);
        assertThat(unwantedWords("Whoever waits `for ever`,\n```\nwho\n```\nwaits for ever"))
                .containsExactly("Whoever", "for ever");
    }

    private interface Check {
        List<String> problems(Path path, String text);
    }

    private static List<String> problems(Check check) {
        List<String> all = new ArrayList<>();
        Stream<Path> documents =
                Stream.concat(
                        Stream.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md").map(Path::of),
                        files(Path.of("docs"), Path.of("src")).stream());
        for (Path path : documents.filter(p -> p.toString().endsWith(".md")).toList()) {
            check.problems(path, text(path)).forEach(problem -> all.add(path + ": " + problem));
        }
        return all;
    }

    private static List<String> wrongNames(Path document, String text) {
        return CODE.matcher(withoutBlocks(text))
                .results()
                .map(m -> m.group(1))
                .filter(code -> !exists(document, code))
                .toList();
    }

    private static boolean exists(Path document, String code) {
        String first = code.split(" ", 2)[0];
        if (FILE.matcher(first).matches()) {
            return Files.exists(Path.of(first)) || Files.exists(document.resolveSibling(first));
        }
        Matcher type = NAMED_TYPE.matcher(code);
        if (type.matches()) {
            Set<String> words = SOURCES.wordsOfTypes.get(type.group(1));
            return words == null
                    ? isOfJdk(type.group(1)) || FOREIGN.contains(type.group(1))
                    : WORD.matcher(type.group(2))
                            .results()
                            .allMatch(m -> words.contains(m.group()));
        }
        if (IDENTIFIER.matcher(code).matches()) {
            return isKnown(code);
        }
        return !code.matches("\\w*\\.[a-z]\\w*\\(.*")
                || METHOD.matcher(code).results().allMatch(m -> isKnown(m.group(1)));
    }

    private static List<String> misplacedClasses(String text) {
        return QUALIFIED
                .matcher(text)
                .results()
                .map(m -> m.group())
                .filter(name -> !isSource(name.replace('.', '/') + ".java"))
                .toList();
    }

    private static boolean isSource(String file) {
        return Stream.of("main", "test", "jcstress", "jmh")
                .anyMatch(set -> Files.exists(Path.of("src", set, "java", file)));
    }

    private static boolean isKnown(String word) {
        return SOURCES.words.contains(word) || FOREIGN.contains(word);
    }

    private static boolean isOfJdk(String name) {
        return PACKAGES.stream()
                .anyMatch(
                        p -> {
                            try {
                                Class.forName(p + "." + name, false, null);
                                return true;
                            } catch (ClassNotFoundException e) {
                                return false;
                            }
                        });
    }

    private static List<String> deadLinks(Path document, String text) {
        return LINK.matcher(withoutBlocks(text))
                .results()
                .map(m -> m.group(1))
                .filter(link -> !link.startsWith("http") && !leadsSomewhere(document, link))
                .toList();
    }

    private static boolean leadsSomewhere(Path document, String link) {
        String[] parts = link.split("#", 2);
        Path target = parts[0].isEmpty() ? document : document.resolveSibling(parts[0]).normalize();
        return Files.exists(target)
                && (parts.length == 1
                        || HEADING.matcher(text(target))
                                .results()
                                .anyMatch(m -> anchor(m.group(1)).equals(parts[1])));
    }

    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{Alnum} _-]", "")
                .replace(' ', '-');
    }

    private static List<String> longLines(String text) {
        return text.lines()
                .filter(line -> line.length() > LONGEST_LINE && !line.startsWith("|"))
                .toList();
    }

    private static List<String> unwantedWords(String text) {
        String plain = CODE.matcher(withoutBlocks(text)).replaceAll("code");
        return UNWANTED.matcher(plain).results().map(m -> m.group()).toList();
    }

    private static String withoutBlocks(String text) {
        return text.replaceAll("(?ms)^ *```.*?^ *```", "");
    }

    private static List<Path> files(Path... roots) {
        List<Path> all = new ArrayList<>();
        for (Path root : roots) {
            try (Stream<Path> found = Files.walk(root)) {
                found.filter(Files::isRegularFile).forEach(all::add);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        return all;
    }

    private static String text(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new AssertionError(path.toString(), e);
        }
    }
}
