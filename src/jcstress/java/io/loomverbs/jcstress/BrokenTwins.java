package io.loomverbs.jcstress;

import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.grading.GradingResult;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.regex.Pattern;

/**
 * Runs the broken twins: tests of deliberately wrong code, whose forbidden outcome must be seen.
 *
 * <p>A race test that passes says little until the same test is known to fail on code that has the
 * race. So each has a twin with the guard taken out, a class whose name ends in {@code BrokenTwin},
 * and a twin that is not caught fails the build: its original may be blind.
 *
 * <p>All twins run for a short while; those not caught run again, each round four times as long as
 * the one before.
 *
 * <p>Arguments: the directory for the results, a regular expression that selects twins, the number
 * of rounds, and what else to tell JCStress.
 */
public final class BrokenTwins {

    private static final int FIRST_ROUND_MILLIS = 200;

    private BrokenTwins() {}

    /** Exits with 1 if a twin was not caught. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Path directory = Files.createDirectories(Path.of(args[0]));
        Pattern selection = Pattern.compile(args[1]);
        int rounds = Integer.parseInt(args[2]);
        List<String> jcstressArgs = Arrays.asList(args).subList(3, args.length);

        SortedSet<String> missing =
                JcstressRun.tests(
                        test -> JcstressRun.isBrokenTwin(test) && selection.matcher(test).find());
        int all = missing.size();
        Path log = directory.resolve("jcstress.log");
        int millis = FIRST_ROUND_MILLIS;
        for (int round = 1; round <= rounds && !missing.isEmpty(); round++) {
            JcstressRun run = new JcstressRun(directory).quiet(log);
            List<String> roundArgs =
                    new ArrayList<>(
                            List.of("-f", "1", "-iters", "1", "-time", Integer.toString(millis)));
            roundArgs.addAll(jcstressArgs);
            // The exit status says nothing here: 1 for a forbidden outcome, which is what we want.
            run.run(missing, roundArgs);
            for (TestResult result : run.results()) {
                for (GradingResult outcome : result.grading().gradingResults.values()) {
                    if (outcome.expect == Expect.FORBIDDEN
                            && outcome.count > 0
                            && missing.remove(result.getName())) {
                        System.out.printf(
                                "caught: %s: %s, %d of %,d%n",
                                result.getName(),
                                outcome.id,
                                outcome.count,
                                result.getTotalCount());
                    }
                }
            }
            millis *= 4;
        }
        missing.forEach(twin -> System.out.printf("NOT CAUGHT: %s%n", twin));
        System.out.printf("%d of %d broken twins caught%n", all - missing.size(), all);
        if (!missing.isEmpty()) {
            System.out.printf("What JCStress said in the last round: %s%n", log);
            System.exit(1);
        }
    }
}
