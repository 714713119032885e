package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A JVM of its own, without the module jdk.management. */
@Timeout(120)
class NoCarriersTest {
    private static final String WARNING = "the module jdk.management is missing: a platform thread";

    /** Virtual threads wait on channels of several devices in turn; prints what they got. */
    static final class Child {
        private static final int ROUNDS = 3;
        private static final long PATIENCE_NANOS = 20_000_000_000L;

        private Child() {}

        public static void main(String[] args) throws Exception {
            for (int i = 0; i < 2; i++) {
                HandMadeDevice device = HandMadeDevice.create();
                try (Context context = device.open()) {
                    play(device, context);
                }
            }
            long start = System.nanoTime();
            while (!pollerThreads().isEmpty() && System.nanoTime() - start < PATIENCE_NANOS) {
                Thread.sleep(1);
            }
            System.out.println("left " + pollerThreads());
        }

        private static void play(HandMadeDevice device, Context context)
                throws InterruptedException, ExecutionException, TimeoutException {
            try (CompletionChannel channel = context.createCompChannel();
                    CompletionQueue cq = context.createCq(1, "mine", channel, 0)) {
                HandMadeDevice.Made made = device.last();
                for (int i = 0; i < ROUNDS; i++) {
                    FutureTask<Object> task =
                            new FutureTask<>(
                                    () -> {
                                        try (CqEvent event = channel.getCqEvent()) {
                                            return event.cqContext();
                                        }
                                    });
                    Thread.ofVirtual().start(task);
                    Thread.sleep(20); // until it waits
                    made.event();
                    System.out.println("received " + task.get(20, TimeUnit.SECONDS));
                    assertThat(cq.unackedEvents()).isZero();
                }
                System.out.println("threads " + pollerThreads());
            }
        }

        private static List<String> pollerThreads() {
            return Thread.getAllStackTraces().keySet().stream()
                    .map(Thread::getName)
                    .filter(name -> name.contains("-poller"))
                    .sorted()
                    .toList();
        }
    }

    /** A thread leads, and that is said: once, however many devices and waiters there are. */
    @Test
    void withoutTheModuleAThreadLeadsAndTheLogSaysSo() throws Exception {
        HandMadeDevice.assumeLibrary();
        String printed =
                ChildJvm.run(
                        Child.class,
                        List.of("--limit-modules=java.base,java.logging,jdk.unsupported"));
        assertThat(printed.split("received mine", -1)).as(printed).hasSize(1 + 2 * 3);
        assertThat(printed.split(WARNING, -1)).as(printed).hasSize(2);
        assertThat(printed).contains("threads [hand-made-poller]");
        assertThat(printed).as("with its contexts the thread ends").contains("left []");
    }

    /** With it there is nothing to say, and no thread. */
    @Test
    void withTheModuleAVirtualThreadLeads() throws Exception {
        HandMadeDevice.assumeLibrary();
        String printed = ChildJvm.run(Child.class, List.of());
        assertThat(printed.split("received mine", -1)).as(printed).hasSize(1 + 2 * 3);
        assertThat(printed).doesNotContain("jdk.management").contains("threads []");
    }
}
