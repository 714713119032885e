package io.loomverbs.internal.event;

/**
 * Makes the library's own platform threads. They hold no reference to the application that causes
 * them to start: neither to its class loader nor to its inheritable thread locals, nor to its
 * thread group. So an application can be unloaded while they run, and an interrupt of its group
 * does not reach them.
 */
public final class HelperThreads {
    private static final ThreadGroup ROOT = rootGroup();

    /** Stands for the threads that a device accesses memory from; never started. */
    public static final Thread OTHER = new Thread(ROOT, () -> {}, "a device's thread", 0, false);

    /** Makes a thread that has not been started: {@link HelperThreads#unstarted}, or another. */
    @FunctionalInterface
    public interface Maker {
        Thread unstarted(String name, Runnable task);
    }

    private HelperThreads() {}

    private static ThreadGroup rootGroup() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group.getParent() != null) {
            group = group.getParent();
        }
        return group;
    }

    /** A daemon thread that has not been started. */
    public static Thread unstarted(String name, Runnable task) {
        Thread thread =
                Thread.ofPlatform()
                        .group(ROOT)
                        .name(name)
                        .daemon()
                        .inheritInheritableThreadLocals(false)
                        .unstarted(task);
        thread.setContextClassLoader(null);
        return thread;
    }
}
