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
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs every race test, and sees to it that each of them did run.
 *
 * <p>JCStress leaves out tests with more actors than the machine has CPUs, and is content; here a
 * test that was left out fails the build. JCStress has a JVM of its own, since it exits when it is
 * done.
 *
 * <p>Arguments: the directory for the results, a regular expression that selects tests, and what
 * else to tell JCStress.
 */
public final class Races {

    private Races() {}

    /** Exits with 1 if an outcome was forbidden, a test broke, or a test did not run. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Pattern selection = Pattern.compile(args[1]);
        SortedSet<String> tests = matching(selection);
        if (tests.isEmpty()) {
            System.out.println("There are no race tests that match " + selection);
            return;
        }
        Path directory = Files.createDirectories(Path.of(args[0]).toAbsolutePath());
        int status = run(directory, tests, Arrays.asList(args).subList(2, args.length));

        int all = tests.size();
        long samples = 0;
        for (TestResult result : results(directory)) {
            tests.remove(result.getName());
            samples += result.getTotalCount();
            if (!result.grading().isPassed) {
                status = 1;
            }
        }
        for (String test : tests) {
            System.out.printf(
                    "DID NOT RUN: %s (%d actors, %d CPUs here)%n",
                    test,
                    TestList.getInfo(test).threads(),
                    Runtime.getRuntime().availableProcessors());
            status = 1;
        }
        System.out.printf(
                "%d of %d race tests ran, %,d samples: %s%n",
                all - tests.size(), all, samples, status == 0 ? "all as allowed" : "FAILED");
        System.exit(status);
    }

    /** The names of the tests of this build that match. */
    static SortedSet<String> matching(Pattern selection) {
        if (TestList.class.getResource(TestList.LIST) == null) {
            return new TreeSet<>();
        }
        return TestList.tests().stream()
                .filter(selection.asPredicate())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Runs these tests and no others, and returns the exit status of JCStress. */
    private static int run(Path directory, Collection<String> tests, List<String> args)
            throws IOException, InterruptedException {
        for (Path file : resultFiles(directory)) {
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
        return new ProcessBuilder(command)
                .directory(directory.toFile())
                .inheritIO()
                .start()
                .waitFor();
    }

    private static String anyOf(Collection<String> tests) {
        return tests.stream().map(Pattern::quote).collect(Collectors.joining("|", "^(", ")$"));
    }

    /** What the run just done saw. */
    private static Collection<TestResult> results(Path directory) throws IOException {
        InProcessCollector results = new InProcessCollector();
        for (Path file : resultFiles(directory)) {
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

    private static List<Path> resultFiles(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".bin.gz")).toList();
        }
    }
}
