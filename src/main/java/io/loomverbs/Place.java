package io.loomverbs;

import java.util.List;
import java.util.Set;
import java.util.StringJoiner;

/** A thread and where it was, for messages. It consists of names, so it keeps no application. */
record Place(String thread, List<StackTraceElement> frames) {
    private static final int SHOWN = 8;
    private static final Set<String> LIBRARY =
            Set.of("java.lang", "io.loomverbs", "io.loomverbs.blocking", "io.loomverbs.cm");

    /** The calling thread, here. */
    static Place here() {
        return of(Thread.currentThread());
    }

    /** Where a thread is now. It has no frames if it has ended. */
    static Place of(Thread thread) {
        return new Place(nameOf(thread), List.of(thread.getStackTrace()));
    }

    /** The name of a thread, or its number if it has none. */
    static String nameOf(Thread thread) {
        return thread.getName().isEmpty()
                ? "thread #" + thread.threadId()
                : "\"" + thread.getName() + "\"";
    }

    /** The first frames of the program, without those of the library above them. */
    String where() {
        StringJoiner text = new StringJoiner(" < ");
        frames.stream()
                .dropWhile(Place::isLibrary)
                .limit(SHOWN)
                .forEach(frame -> text.add(frame.toString()));
        return text.toString();
    }

    private static boolean isLibrary(StackTraceElement frame) {
        String type = frame.getClassName();
        String name = type.substring(0, Math.max(0, type.lastIndexOf('.')));
        return LIBRARY.contains(name) || name.startsWith("io.loomverbs.internal.");
    }

    @Override
    public String toString() {
        return thread + " at " + where();
    }
}
