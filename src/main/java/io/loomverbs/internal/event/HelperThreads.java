package io.loomverbs.internal.event;

/**
 * Makes the library's own platform threads. They hold no reference to the application that causes
 * them: neither to its class loader nor to its inheritable thread locals. So an application can be
 * unloaded while they run.
 */
public final class HelperThreads {
    /** Stands for the threads that a device accesses memory from; never started. */
    public static final Thread OTHER = new Thread(null, () -> {}, "a device's thread", 0, false);

    /** Makes a thread that has not been started: {@link HelperThreads#unstarted}, or another. */
    @FunctionalInterface
    public interface Maker {
        Thread unstarted(String name, Runnable task);
    }

    private HelperThreads() {}

    /** A daemon thread that has not been started. */
    public static Thread unstarted(String name, Runnable task) {
        Thread thread =
                Thread.ofPlatform()
                        .name(name)
                        .daemon()
                        .inheritInheritableThreadLocals(false)
                        .unstarted(task);
        thread.setContextClassLoader(null);
        return thread;
    }
}
