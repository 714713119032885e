package io.loomverbs.internal.event;

/** Takes a raise back while the JDK's scheduler uses up all memory. */
final class LowerWithoutMemoryChild {
    private static Object[] hoard;

    private LowerWithoutMemoryChild() {}

    private static final class Greedy implements Scheduler {
        private int parallelism = 2;
        private boolean greedy;

        @Override
        public int parallelism() {
            return parallelism;
        }

        @Override
        public void parallelism(int n) {
            parallelism = n;
            if (greedy) {
                useUp();
            }
        }

        @Override
        public boolean hasQueued() {
            return false;
        }

        @Override
        public int mounted() {
            return 0;
        }

        @Override
        public Thread start() {
            return Thread.currentThread();
        }
    }

    private static void useUp() {
        for (int n = 1 << 16; n > 0; n = n / 2) {
            try {
                while (true) {
                    Object[] next = new Object[n];
                    next[0] = hoard;
                    hoard = next;
                }
            } catch (OutOfMemoryError e) {
                // then smaller ones
            }
        }
    }

    public static void main(String[] args) {
        Greedy scheduler = new Greedy();
        RaisedParallelism raised = new RaisedParallelism(scheduler, "loomverbs.test.greedy");
        raised.raise();
        raised.raise();
        raised.raise();
        raised.lower();
        scheduler.greedy = true;
        lower(raised);
        lower(raised);
        System.out.println(
                scheduler.parallelism
                        + ", recorded "
                        + System.getProperty("loomverbs.test.greedy"));
    }

    private static void lower(RaisedParallelism raised) {
        try {
            raised.lower();
        } catch (OutOfMemoryError e) {
            hoard = null;
            System.out.println("not recorded");
        }
        hoard = null;
    }
}
