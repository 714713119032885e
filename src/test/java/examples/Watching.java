package examples;

import io.loomverbs.*;
import io.loomverbs.management.VerbsManagement;
import io.loomverbs.micrometer.ContextMeters;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** A program that can be watched, as {@code docs/observability.md} shows it. */
public final class Watching {
    private Watching() {}

    public static void main(String[] args) throws Exception {
        MeterRegistry registry = new SimpleMeterRegistry();
        try (Context context = Verbs.device("soft0").open()) {
            VerbsManagement management = VerbsManagement.register(); // io.loomverbs:type=Verbs
            System.out.println(management.objectName());

            ContextMeters meters = ContextMeters.of(context, registry);
            ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
            Future<?> updates = timer.scheduleAtFixedRate(meters::update, 0, 10, TimeUnit.SECONDS);
            System.out.println(registry.get("loomverbs.cqs").gauge().value());
            updates.cancel(false);
            timer.close();
            meters.close();
            management.close();
        }
    }
}
