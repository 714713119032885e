package io.loomverbs.jcstress;

import org.openjdk.jcstress.Main;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.runners.TestList;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs JCStress in a JVM of its own, since it exits when it is done, and reads its results. */
final class JcstressRun {

    private final Path directory;
    private final ProcessBuilder process;

    /** Results go to {@code directory}, which is made if need be. */
    JcstressRun(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory.toAbsolutePath());
        this.process = new ProcessBuilder().directory(directory.toFile()).inheritIO();
    }

    /** The names of the tests of this build that match. */
    static SortedSet<String> tests(Pattern selection) {
        if (TestList.class.getResource(TestList.LIST) == null) {
            return new TreeSet<>();
        }
        return TestList.tests().stream()
                .filter(selection.asPredicate())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Runs these tests and no others, and returns the exit status of JCStress. */
    int run(Collection<String> tests, List<String> args) throws IOException, InterruptedException {
        for (Path file : resultFiles()) {
            Files.delete(file);
        }
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(Main.class.getName());
        command.addAll(List.of("-r", directory.resolve("report").toString()));
        command.addAll(List.of("-t", anyOf(tests)));
        command.addAll(args);
        return process.command(command).start().waitFor();
    }

    /** What the run just done saw. */
    Collection<TestResult> results() throws IOException {
        InProcessCollector results = new InProcessCollector();
        for (Path file : resultFiles()) {
            DiskReadCollector reader = new DiskReadCollector(file.toString(), results);
            try {
                reader.dump();
            } catch (ClassNotFoundException e) {
                throw new IOException("unreadable JCStress results: " + file, e);
            } finally {
                reader.close();
            }
        }
        return results.getTestResults();
    }

    private List<Path> resultFiles() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".bin.gz")).toList();
        }
    }

    private static String anyOf(Collection<String> tests) {
        return tests.stream().map(Pattern::quote).collect(Collectors.joining("|", "^(", ")$"));
    }
}
