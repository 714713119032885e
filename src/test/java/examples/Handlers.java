package examples;

import io.loomverbs.*;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Handlers that are started in several ways and stopped, as the guide shows it. */
public final class Handlers {
    private static final AtomicInteger BOOKED = new AtomicInteger();

    private Handlers() {}

    public static void main(String[] args) throws Exception {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                CompletionChannel channel = context.createCompChannel();
                CompletionQueue direct = context.createDirectCq(16);
                CompletionQueue shared = context.createCq(16, "orders", channel, 0)) {
            Serving orders = direct.serve("orders", batch -> book(batch));
            complete(pd, direct);
            if (!orders.stop(Duration.ofSeconds(5))) {
                System.err.println(orders.status());
            }

            try (Serving _ = channel.serve((cq, batch) -> book(batch), 8)) {
                complete(pd, shared);
            } // drains, then waits for the threads

            try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
                Serving task = Serving.of(direct, batch -> book(batch), FailurePolicy.STOP);
                Future<?> end = executor.submit(task);
                while (task.threads().isEmpty()) {
                    Thread.onSpinWait();
                }
                complete(pd, direct);
                task.stop(Duration.ofSeconds(5));
                end.get(); // throws what the handler has thrown
            }
            System.out.println("booked " + BOOKED);
        }
    }

    private static void book(WorkCompletions batch) {
        BOOKED.addAndGet(batch.size());
    }

    /** Adds a completion: a message of no bytes to itself, unreliable and without a receive. */
    private static void complete(ProtectionDomain pd, CompletionQueue cq) {
        try (QueuePair qp = pd.createQp(QpConfig.of(QpType.UC, cq))) {
            qp.connect(qp.endpoint());
            qp.postSend(SendWorkRequest.allocate(1, 0).send().signaled());
        }
    }
}
