package io.loomverbs;

import io.loomverbs.internal.soft.FreshDevice;

import java.time.Duration;

/** Begins to serve a CQ when there is no memory, which is there again afterwards. */
final class ServeWithoutMemoryChild {
    /** What uses up the memory: a list whose first element is the next one. */
    private static Object[] hoard;

    private ServeWithoutMemoryChild() {}

    public static void main(String[] args) throws Exception {
        Context context = Opened.open(FreshDevice.create());
        CompletionQueue cq = context.createDirectCq(1);
        cq.serve(batch -> {}).close(); // loads what it needs
        Serving serving = Serving.of(cq, batch -> {}, FailurePolicy.STOP);
        String outcome = "served";
        useUp();
        try {
            serving.run();
        } catch (OutOfMemoryError e) {
            hoard = null;
            outcome = "no memory";
        }
        System.out.println(outcome + ", ended: " + serving.join(Duration.ZERO));
        serving.close();
        cq.serve(batch -> {}).close();
        cq.close();
        context.close();
        System.out.println("all closed");
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
}
