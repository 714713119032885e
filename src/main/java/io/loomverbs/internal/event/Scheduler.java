package io.loomverbs.internal.event;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.jspecify.annotations.Nullable;

import java.lang.management.ManagementFactory;

/** The JDK's scheduler of virtual threads: what of it can be read and set. */
interface Scheduler {
    int parallelism();

    void parallelism(int n);

    /** Whether virtual threads wait for a carrier. */
    boolean hasQueued();

    /**
     * How many carriers run a virtual thread, look for one to run, or are being started. A carrier
     * that blocks in a call for which the JDK compensates, or should, is not counted.
     */
    int mounted();

    /** Starts a virtual thread that does nothing; null if that cannot be done. */
    @Nullable Thread start();

    /** Whether virtual threads are ready, and a carrier that could serve them does not. */
    default boolean isMissed() {
        return hasQueued() && mounted() < parallelism();
    }

    /** Whether a carrier has nothing to run, and would serve whatever is submitted. */
    default boolean isIdle() {
        return mounted() < parallelism() && !hasQueued();
    }

    /** The JDK's; null if the module jdk.management is missing. */
    static @Nullable Scheduler find() {
        try {
            return new OfJdk();
        } catch (LinkageError | RuntimeException e) {
            return null;
        }
    }

    /** A class of its own: where jdk.management is missing it fails to load. */
    final class OfJdk implements Scheduler {
        private final VirtualThreadSchedulerMXBean bean =
                ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);

        @Override
        public int parallelism() {
            return bean.getParallelism();
        }

        @Override
        public void parallelism(int n) {
            bean.setParallelism(n);
        }

        @Override
        public boolean hasQueued() {
            return bean.getQueuedVirtualThreadCount() > 0;
        }

        @Override
        public int mounted() {
            return bean.getMountedVirtualThreadCount();
        }

        @Override
        public @Nullable Thread start() {
            try {
                return Thread.startVirtualThread(() -> {});
            } catch (OutOfMemoryError | RuntimeException e) {
                return null;
            }
        }
    }
}
