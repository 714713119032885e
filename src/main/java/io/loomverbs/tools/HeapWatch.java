package io.loomverbs.tools;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.ref.SoftReference;
import java.nio.charset.StandardCharsets;

/**
 * Ends the process once the heap is full. Without heap, threads die one by one, including those of
 * the JDK, some of them silently; threads that wait for them never return, and SIGTERM does not end
 * the JVM.
 *
 * <p>The JVM clears every soft reference before it throws an OutOfMemoryError in any thread. A
 * thread that needs no memory looks at one.
 */
final class HeapWatch {
    /**
     * The JVM also clears a reference that was not looked at for a second per free MiB. Such late
     * looks prove nothing, as after a night in the background.
     */
    private static final long LATE_NANOS = 10_000_000_000L;

    private static final long EVERY_MILLIS = 50;

    private final FileOutputStream err = new FileOutputStream(FileDescriptor.err);
    private final byte[] message;
    private final int status;

    /**
     * @param status the exit status of a process that has no heap left
     */
    HeapWatch(int status) {
        this.status = status;
        String text =
                "failed: out of memory: the heap of at most "
                        + (Runtime.getRuntime().maxMemory() >> 20)
                        + " MiB is full; LOOMVERBS_JAVA_OPTS=-Xmx2g makes it larger, for example";
        message = (text + System.lineSeparator()).getBytes(StandardCharsets.UTF_8);
    }

    void start() {
        Thread.setDefaultUncaughtExceptionHandler(this::uncaught);
        Thread.ofPlatform().daemon().name("loomverbs-heap").start(this::watch);
    }

    /**
     * Prints what the JDK would print; but a thread that dies for lack of heap ends the process.
     */
    private void uncaught(Thread thread, Throwable cause) {
        if (cause instanceof OutOfMemoryError e && isOfHeap(e)) {
            end();
        }
        System.err.print("Exception in thread \"" + thread.getName() + "\" ");
        cause.printStackTrace();
    }

    static boolean isOfHeap(OutOfMemoryError e) {
        String what = String.valueOf(e.getMessage());
        return what.contains("heap space") || what.contains("GC overhead");
    }

    private void watch() {
        try {
            SoftReference<Object> first = new SoftReference<>(new Object());
            long looked = System.nanoTime();
            while (true) {
                Thread.sleep(EVERY_MILLIS);
                boolean cleared = first.get() == null;
                long now = System.nanoTime();
                if (cleared && now - looked < LATE_NANOS) {
                    end();
                }
                if (cleared) {
                    first = new SoftReference<>(new Object());
                }
                looked = now;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // never happens
        } catch (OutOfMemoryError e) {
            end();
        }
    }

    /**
     * Says why, and ends the process without its hooks, which would need memory. Does not return.
     */
    synchronized void end() {
        try {
            err.write(message);
        } catch (IOException e) {
            // The exit status shows it, too.
        }
        Runtime.getRuntime().halt(status);
    }
}
