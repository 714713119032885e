package io.loomverbs.jcstress;

import io.loomverbs.fault.Fault;
import io.loomverbs.internal.event.Patience;

import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.infra.TestInfo;
import org.openjdk.jcstress.infra.runners.TestList;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Runs races on shipped classes into which a fault was planted, and sees to it that it shows.
 *
 * <p>A race runs for a short while, again and again, until the outcome that it names was seen. A
 * fault that is not caught fails the build; so does a race that {@link Catches} none, and a fault
 * that nothing looks for.
 *
 * <p>Arguments: a regular expression that selects races, for how many seconds to try a fault, and
 * what else to tell JCStress.
 */
public final class PlantedFaults {
    private static final int SLICE_MILLIS = 50;

    private final Map<String, Fault> faults =
            Fault.all().stream().collect(Collectors.toMap(Fault::name, Function.identity()));
    private final Options options;
    private final long budgetNanos;
    private int all;
    private int failures;

    private PlantedFaults(String... args) throws IOException {
        List<String> jcstress = new ArrayList<>(List.of(args).subList(2, args.length));
        jcstress.addAll(List.of("-iters", "1", "-time", Integer.toString(SLICE_MILLIS)));
        options = new Options(jcstress.toArray(String[]::new));
        if (!options.parse()) {
            throw new IllegalArgumentException("JCStress does not know " + jcstress);
        }
        budgetNanos = Long.parseLong(args[1]) * 1_000_000_000;
    }

    /** Exits with 1 if a name is wrong, or a fault was not caught. */
    public static void main(String[] args) throws Exception {
        PlantedFaults planted = new PlantedFaults(args);
        planted.checkNames();
        if (planted.failures == 0) {
            planted.run(Races.matching(Pattern.compile(args[0])));
        }
        System.out.printf("%d faults planted, %d failures%n", planted.all, planted.failures);
        System.exit(planted.failures == 0 ? 0 : 1);
    }

    private void run(Set<String> races) throws ClassNotFoundException {
        for (String race : races) {
            for (Catches caught : catches(race)) {
                run(TestList.getInfo(race), caught);
            }
        }
    }

    private static Catches[] catches(String race) throws ClassNotFoundException {
        ClassLoader here = PlantedFaults.class.getClassLoader();
        return Class.forName(TestList.getInfo(race).binaryName(), false, here)
                .getAnnotationsByType(Catches.class);
    }

    private void checkNames() throws ClassNotFoundException {
        Set<String> unused = new TreeSet<>(faults.keySet());
        unused.removeIf(fault -> !faults.get(fault).scenarios().isEmpty());
        for (String race : Races.matching(Pattern.compile(""))) {
            Catches[] all = catches(race);
            if (all.length == 0) {
                fail("CATCHES NOTHING: " + race);
            }
            for (Catches caught : all) {
                unused.remove(caught.value());
                if (!faults.containsKey(caught.value())) {
                    fail("NO SUCH FAULT: " + race + ": " + caught.value());
                }
            }
        }
        unused.forEach(fault -> fail("LOOKED FOR BY NOTHING: " + fault));
    }

    private void fail(String why) {
        failures++;
        System.out.println(why);
    }

    private void run(TestInfo race, Catches caught) {
        Fault fault = faults.get(caught.value());
        all++;
        String what = race.name() + ": " + caught.value() + ": " + caught.as();
        long start = System.nanoTime();
        try {
            PlantedRace planted = new PlantedRace(race, fault, caught.as());
            while (System.nanoTime() - start < budgetNanos) {
                Patience.expectLateness(caught.as().matches(".*(stuck|late|none).*"));
                long count = planted.run(options);
                if (count > 0) {
                    long millis = (System.nanoTime() - start) / 1_000_000;
                    System.out.printf("caught in %,d ms: %s, %,d times%n", millis, what, count);
                    return;
                }
            }
            System.out.println("  seen: " + planted.seen());
        } catch (Exception | LinkageError | AssertionError e) {
            e.printStackTrace(System.out);
        }
        fail("NOT CAUGHT: " + what);
    }
}
