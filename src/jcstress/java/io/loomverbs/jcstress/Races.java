package io.loomverbs.jcstress;

import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.runners.TestList;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.regex.Pattern;

/**
 * Runs every race test, and sees to it that each of them did run.
 *
 * <p>JCStress leaves out tests with more actors than the machine has CPUs, and is content; here a
 * test that was left out fails the build.
 *
 * <p>Arguments: the directory for the results, a regular expression that selects tests, and what
 * else to tell JCStress.
 */
public final class Races {

    private Races() {}

    /** Exits with 1 if an outcome was forbidden, a test broke, or a test did not run. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Pattern selection = Pattern.compile(args[1]);
        List<String> jcstressArgs = Arrays.asList(args).subList(2, args.length);
        SortedSet<String> tests = JcstressRun.tests(selection);
        if (tests.isEmpty()) {
            System.out.println("There are no race tests that match " + selection);
            return;
        }
        JcstressRun run = new JcstressRun(Path.of(args[0]));
        int status = run.run(tests, jcstressArgs);

        int all = tests.size();
        long samples = 0;
        for (TestResult result : run.results()) {
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
}
