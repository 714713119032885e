package io.loomverbs.tools;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends a command's work early, at Ctrl-C or SIGTERM, and lets it print the result so far. A second
 * Ctrl-C ends the process at once.
 */
final class EarlyEnd implements AutoCloseable {
    private static final int END_SECONDS = 60;

    private final CountDownLatch printed = new CountDownLatch(1);
    private final Thread hook;

    private EarlyEnd(String what, Runnable stop) {
        hook = Thread.ofPlatform().unstarted(() -> end(what, stop));
    }

    /**
     * Registers it.
     *
     * @param what the name of the work, for a message
     * @param stop ends the work, without waiting for that
     * @return the registration, to be closed once everything is printed
     */
    static EarlyEnd register(String what, Runnable stop) {
        EarlyEnd end = new EarlyEnd(what, stop);
        Runtime.getRuntime().addShutdownHook(end.hook);
        return end;
    }

    private void end(String what, Runnable stop) {
        SecondInterrupt.haltsAtOnce();
        stop.run();
        try {
            if (!printed.await(END_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("the " + what + " did not end within " + END_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        printed.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is shutting down: it waits for this.
        }
    }
}
