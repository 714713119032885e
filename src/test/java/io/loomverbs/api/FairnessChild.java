package io.loomverbs.api;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Verbs;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.BusyPairs;
import io.loomverbs.support.HeldCq;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps all carriers busy with handlers, and prints what comes back all the same while they go on.
 * Argument: how they wait.
 */
final class FairnessChild {
    private static final int PAIRS = 2;
    private static final int TRIES = 5;
    private static final int PATIENCE_SECONDS = 10;
    private static final long WARM = 10_000;
    private static final Duration WAIT = Duration.ofMillis(10);

    private static final LongAdder MESSAGES = new LongAdder();

    private FairnessChild() {}

    public static void main(String[] args) throws Exception {
        try (Context context = Verbs.device("soft0").open()) {
            CompletionQueue silent = context.createDirectCq(1);
            CompletionChannel quiet = context.createCompChannel();
            CompletionQueue held = HeldCq.create(context);
            BusyPairs pairs =
                    new BusyPairs(
                            context,
                            PAIRS,
                            BusyPairs.Wait.valueOf(args[0]),
                            _ -> MESSAGES.increment());
            pairs.start();
            awaitMore(WARM);
            List<FutureTask<String>> all = new ArrayList<>();
            all.add(again("getCqEvent", () -> silent.getCqEvent(WAIT) == null));
            all.add(again("channel.getCqEvent", () -> quiet.getCqEvent(WAIT) == null));
            all.add(again("await", () -> silent.await(batch(), 1, WAIT) == 0));
            all.add(again("sleep", FairnessChild::sleeps));
            all.add(again("close", () -> HeldCq.timeOut(held, WAIT)));
            all.add(again("unpark", FairnessChild::isUnparked));
            for (FutureTask<String> task : all) {
                System.out.println(answer(task));
            }
            awaitMore(WARM);
            pairs.stop();
            System.out.println("they go on, " + pairs.failure());
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }
    }

    private static String answer(FutureTask<String> task) throws Exception {
        try {
            return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return "never";
        }
    }

    private static FutureTask<String> again(String what, Callable<Boolean> once) {
        FutureTask<String> task =
                new FutureTask<>(
                        () -> {
                            for (int i = 0; i < TRIES; i++) {
                                if (!once.call()) {
                                    return what + " answers something else";
                                }
                            }
                            return what;
                        });
        Thread.ofVirtual().start(task);
        return task;
    }

    private static WorkCompletions batch() {
        return WorkCompletions.allocate(1);
    }

    private static boolean sleeps() throws InterruptedException {
        Thread.sleep(WAIT);
        return true;
    }

    private static boolean isUnparked() throws InterruptedException {
        Thread me = Thread.currentThread();
        FutureTask<Boolean> unpark =
                new FutureTask<>(
                        () -> {
                            Thread.sleep(WAIT);
                            return true;
                        });
        Thread.ofPlatform()
                .start(
                        () -> {
                            unpark.run();
                            LockSupport.unpark(me);
                        });
        while (!unpark.isDone()) {
            LockSupport.park();
        }
        return true;
    }

    private static void awaitMore(long messages) throws InterruptedException {
        long enough = MESSAGES.sum() + messages;
        long start = System.nanoTime();
        while (MESSAGES.sum() < enough) {
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
                throw new AssertionError("the handlers stand still");
            }
            Thread.sleep(1);
        }
    }
}
