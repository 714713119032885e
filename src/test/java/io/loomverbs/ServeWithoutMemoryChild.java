package io.loomverbs;

import io.loomverbs.internal.soft.FreshDevice;

import java.time.Duration;

/** Begins to serve a CQ when there is no memory, which is there again afterwards. */
final class ServeWithoutMemoryChild {
    private ServeWithoutMemoryChild() {}

    public static void main(String[] args) throws Exception {
        Context context = Opened.open(FreshDevice.create());
        CompletionQueue cq = context.createDirectCq(1);
        cq.serve(batch -> {}).close(); // loads what it needs
        Serving serving = Serving.of(cq, batch -> {}, FailurePolicy.STOP);
        String outcome = "served";
        HalfMadeChild.useUp();
        try {
            serving.run();
        } catch (OutOfMemoryError e) {
            HalfMadeChild.hoard = null;
            outcome = "no memory";
        }
        System.out.println(outcome + ", ended: " + serving.join(Duration.ZERO));
        serving.close();
        cq.serve(batch -> {}).close();
        cq.close();
        context.close();
        System.out.println("all closed");
    }
}
