package io.loomverbs.tools;

import io.loomverbs.tools.storm.Storm;

import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Shows how a storm goes: a bar on a terminal, a line now and then anywhere else. */
final class StormProgress implements Runnable {
    private static final int TICK_MILLIS = 100;
    private static final int RATE_MILLIS = 500;
    private static final int LINES = 10;
    private static final int NARROWEST = 40;
    private static final int USUAL_COLUMNS = 79;

    private final Storm storm;
    private final long plannedMillis;
    private final PrintWriter err;
    private long lastMillis;
    private long lastMessages;
    private long rate;

    StormProgress(Storm storm, int seconds, PrintWriter err) {
        this.storm = storm;
        this.plannedMillis = seconds * 1000L;
        this.err = err;
    }

    /** Until the thread is interrupted. */
    @Override
    public void run() {
        try {
            if (onTerminal()) {
                drawBar();
            } else {
                printLines();
            }
        } catch (InterruptedException e) {
            // The storm is over.
        }
    }

    private void drawBar() throws InterruptedException {
        try (ProgressBar bar =
                new ProgressBarBuilder()
                        .setTaskName("storm")
                        .setInitialMax(plannedMillis)
                        .setUpdateIntervalMillis(TICK_MILLIS)
                        .setStyle(style())
                        .setConsumer(new ConsoleProgressBarConsumer(System.err, width()))
                        .setUnit(" s", 1000)
                        .hideEta()
                        .build()) {
            while (!Thread.currentThread().isInterrupted()) {
                long millis = storm.elapsedNanos() / 1_000_000;
                bar.stepTo(Math.min(millis, plannedMillis));
                bar.setExtraMessage(" " + message(storm.messages(), millis));
                Thread.sleep(TICK_MILLIS);
            }
        }
    }

    private void printLines() throws InterruptedException {
        long every = Math.max(1000, plannedMillis / LINES);
        long next = 0;
        long printedSecond = -1;
        try {
            for (; ; ) {
                long millis = storm.elapsedNanos() / 1_000_000;
                if (millis >= next) {
                    printLine(millis);
                    printedSecond = millis / 1000;
                    next = millis / every * every + every;
                }
                Thread.sleep(TICK_MILLIS);
            }
        } finally {
            // The last one too: it is over before the tick that would have printed it.
            long millis = storm.elapsedNanos() / 1_000_000;
            if (millis > 0 && millis / 1000 != printedSecond) {
                printLine(millis);
            }
        }
    }

    private void printLine(long millis) {
        err.printf(
                Locale.ROOT, "storm: %d s, %s%n", millis / 1000, message(storm.messages(), millis));
        err.flush();
    }

    /*
     * The consumer that ProgressBar makes by itself asks JLine for the width, which takes the handler of
     * Ctrl-C away from the JVM.
     */
    private static int width() throws InterruptedException {
        try {
            Process stty =
                    new ProcessBuilder("stty", "size")
                            .redirectInput(ProcessBuilder.Redirect.INHERIT)
                            .start();
            String[] rowsAndColumns = stty.inputReader().readLine().strip().split(" ", 2);
            stty.waitFor();
            return Math.max(NARROWEST, Integer.parseInt(rowsAndColumns[1]) - 1);
        } catch (IOException | RuntimeException e) {
            return USUAL_COLUMNS; // no stty, or it has printed something else
        }
    }

    private static ProgressBarStyle style() {
        String noColor = System.getenv("NO_COLOR");
        boolean colors = noColor == null || noColor.isEmpty();
        String term = System.getenv("TERM");
        boolean blocks =
                StandardCharsets.UTF_8.name().equals(System.getProperty("stderr.encoding"))
                        && term != null
                        && !term.equals("dumb");
        if (!blocks) {
            return ProgressBarStyle.ASCII;
        }
        return colors ? ProgressBarStyle.COLORFUL_UNICODE_BLOCK : ProgressBarStyle.UNICODE_BLOCK;
    }

    @SuppressWarnings(
            "SystemConsoleNull") // it is null where -Djdk.console=java.base has no terminal
    private static boolean onTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    /** Includes the rate since the last call that returned one, if some time has passed. */
    private String message(long messages, long millis) {
        if (millis == 0) {
            return "creating CQs and handlers";
        }
        if (millis - lastMillis >= RATE_MILLIS) {
            rate = (messages - lastMessages) * 1000 / (millis - lastMillis);
            lastMessages = messages;
            lastMillis = millis;
        }
        String text = String.format(Locale.ROOT, "%,d messages, %,d/s", messages, rate);
        int idle = millis > plannedMillis ? storm.idleHandlers() : 0;
        return idle == 0
                ? text
                : text + String.format(Locale.ROOT, "; handlers without work yet: %,d", idle);
    }
}
