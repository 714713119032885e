package io.loomverbs.walk;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Several threads that walk over the same objects: what one uses, another closes. */
final class Crowd {
    private static final int THREADS = 3;

    private final String device;
    private final long seed;
    private final Queue<String> problems = new ConcurrentLinkedQueue<>();

    Crowd(String device, long seed) {
        this.device = device;
        this.seed = seed;
    }

    /** One thread, and what it does now. */
    private final class Walker {
        private final World world;
        private final Thread thread;
        private volatile String now = "nothing yet";

        Walker(World world, int number, int steps) {
            this.world = world;
            Thread.Builder builder = number == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            thread = builder.name("walker-" + number).unstarted(() -> walk(number, steps));
        }

        private void walk(int number, int steps) {
            ApiCall calls = new ApiCall(world, false);
            Stock stock = new Stock(world);
            try {
                for (int step = 0; step < steps && problems.isEmpty(); step++) {
                    now = "step " + step;
                    Dice dice = new Dice(seed * THREADS + number, step);
                    if (dice.oneIn(12)) {
                        makeStock(stock, dice);
                    } else {
                        calls.make(dice);
                    }
                }
            } catch (Throwable t) {
                problems.add(thread.getName() + ", " + now + ": " + Failures.text(t));
            }
        }

        private void makeStock(Stock stock, Dice dice) {
            try {
                stock.make(dice);
            } catch (RuntimeException e) {
                // Others may have closed, or changed, what it is made of.
                Outcome.checkDocumented(e);
            }
        }
    }

    /** Walks; answers what went wrong, or null. Bounded in time. */
    @Nullable String take(int steps) throws InterruptedException {
        World world = new World(device);
        world.offer(world.first);
        List<Walker> walkers = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            walkers.add(new Walker(world, i, steps));
        }
        walkers.forEach(w -> w.thread.start());
        for (Walker w : walkers) {
            String before = w.now;
            while (!w.thread.join(World.PATIENCE.plusSeconds(5))) {
                if (w.now.equals(before)) {
                    return problems + hang(walkers);
                }
                before = w.now;
            }
        }
        problems.addAll(world.closeAll());
        return problems.isEmpty() ? null : String.join("\n", problems);
    }

    private static String hang(List<Walker> walkers) {
        StringBuilder text = new StringBuilder("a walker hangs");
        for (Walker w : walkers) {
            text.append('\n').append(w.thread.getName()).append(" in ").append(w.now);
            text.append('\n').append(Failures.stack(w.thread));
        }
        return text.toString();
    }
}
