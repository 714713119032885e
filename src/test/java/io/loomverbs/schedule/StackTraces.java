package io.loomverbs.schedule;

import java.util.List;
import java.util.StringJoiner;

/** Where threads are, as a failure shows it. */
final class StackTraces {
    private static final StackWalker WALKER = StackWalker.getInstance();
    private static final String HERE = StackTraces.class.getPackageName() + ".";

    private StackTraces() {}

    /** The line that the current thread is at, outside of the machinery of schedules. */
    static String site() {
        return WALKER.walk(
                frames ->
                        frames.filter(frame -> !isMachinery(frame.getClassName()))
                                .findFirst()
                                .map(frame -> frame.toStackTraceElement().toString())
                                .orElse("?"));
    }

    private static boolean isMachinery(String name) {
        return name.startsWith("java.")
                || (name.startsWith(HERE) && !name.contains("Scenario"))
                || name.startsWith("jdk.");
    }

    static String of(List<Thread> threads) {
        StringJoiner text = new StringJoiner("\n");
        for (Thread thread : threads) {
            text.add("  " + thread.getName() + ", " + thread.getState());
            for (StackTraceElement frame : thread.getStackTrace()) {
                if (!frame.getClassName().startsWith("java.")) {
                    text.add("    at " + frame);
                }
            }
        }
        return text.toString();
    }
}
