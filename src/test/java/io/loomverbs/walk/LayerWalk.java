package io.loomverbs.walk;

import io.loomverbs.Verbs;
import io.loomverbs.misuse.ApiMethods;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;

/**
 * One walk over the packages above the verbs: calls that a seed chooses, by one or several threads,
 * on the same objects.
 */
final class LayerWalk {
    static final List<Executable> METHODS =
            Stream.concat(
                            ApiMethods.all().values().stream(),
                            ApiMethods.ofTheAdapters().values().stream())
                    .filter(e -> !e.getDeclaringClass().getPackageName().equals("io.loomverbs"))
                    .toList();

    /** What waits or may wait for others, and so is called by a thread that is interrupted. */
    private static final Set<String> CANNOT_WAIT =
            Set.of("toString", "length", "offset", "region", "memory", "slice", "remote");

    private final String device;
    private final long seed;
    private final int threads;

    /** What was called, and came back. */
    final Set<String> called = ConcurrentHashMap.newKeySet();

    final Queue<String> log = new ConcurrentLinkedQueue<>();
    private final Queue<String> problems = new ConcurrentLinkedQueue<>();

    LayerWalk(String device, long seed, int threads) {
        this.device = device;
        this.seed = seed;
        this.threads = threads;
    }

    /** Takes so many steps with each thread; answers what went wrong, or null. */
    @Nullable String take(int steps) throws InterruptedException {
        long allocated = Verbs.allocatedMemory();
        World world = new World(device);
        LayerStock stock = new LayerStock(world, problems);
        List<Thread> walkers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int number = i;
            Thread.Builder builder = i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            walkers.add(
                    builder.name("layer-walker-" + i)
                            .start(() -> walk(world, stock, number, steps)));
        }
        for (Thread walker : walkers) {
            int before;
            do {
                before = log.size();
                if (walker.join(World.PATIENCE.plusSeconds(5))) {
                    before = -1;
                }
            } while (before >= 0 && log.size() > before);
            if (before >= 0) {
                problems.add("hangs: " + walker + "\n" + Failures.stack(walker));
                return String.join("\n", problems);
            }
        }
        problems.addAll(world.closeAll());
        if (problems.isEmpty() && Verbs.allocatedMemory() != allocated) {
            problems.add("memory is left: " + (Verbs.allocatedMemory() - allocated) + " bytes");
        }
        return problems.isEmpty() ? null : String.join("\n", problems);
    }

    private void walk(World world, LayerStock stock, int number, int steps) {
        for (int step = 0; step < steps && problems.isEmpty(); step++) {
            Dice dice = new Dice(seed * 16 + number, step);
            String what = "step " + step;
            try {
                what +=
                        ": "
                                + (dice.oneIn(20) || step == 0
                                        ? make(stock, dice)
                                        : call(world, dice));
            } catch (Throwable t) {
                problems.add(Thread.currentThread().getName() + ": " + Failures.text(t));
            }
            log.add(number + ", " + what);
        }
    }

    private static String make(LayerStock stock, Dice dice) throws InterruptedException {
        try {
            return stock.make(dice);
        } catch (RuntimeException e) { // others may have closed what it is made of
            Outcome.checkDocumented(e);
            return e.toString();
        }
    }

    @SuppressWarnings("ReferenceEquality") // NONE is a marker
    private String call(World world, Dice dice) throws InterruptedException {
        Executable method = dice.of(METHODS);
        Values values = new LayerValues(world, dice);
        Object receiver = null;
        if (method instanceof Method && !Modifier.isStatic(method.getModifiers())) {
            receiver = values.of(method.getDeclaringClass(), false);
            if (receiver == null || receiver == Values.NONE) {
                return "nothing: no receiver of " + ApiMethods.name(method);
            }
        }
        Parameter[] parameters = method.getParameters();
        Object[] arguments = new Object[parameters.length];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = values.of(parameters[i].getType(), ApiMethods.isNullable(parameters[i]));
            if (arguments[i] == Values.NONE) {
                return "nothing: no argument for " + ApiMethods.name(method);
            }
        }
        String text =
                ApiMethods.name(method) + " of " + receiver + " with " + Arrays.asList(arguments);
        Outcome outcome =
                CANNOT_WAIT.contains(method.getName())
                        ? Outcome.of(method, receiver, arguments)
                        : Outcome.interrupted(method, receiver, arguments, dice, text);
        outcome.check(method, receiver, arguments, text);
        called.add(ApiMethods.name(method));
        keep(world, outcome.result());
        keep(world, outcome.thrown());
        return text + " -> " + outcome;
    }

    private static void keep(World world, @Nullable Object object) {
        if (object != null && object.getClass().getName().startsWith("io.loomverbs.")) {
            world.add(object, false);
        }
    }
}
