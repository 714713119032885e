package io.loomverbs;

import org.jctools.queues.MpscBlockingConsumerArrayQueue;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Ours, the limit, and what one would pick instead. */
final class EventCarriers {
    private static final int SOME_CHANNELS = 16;
    private static final int POOL = 64;
    private static final int QUEUE = 1 << 17;
    private static final int MAX_THREADS = 10_000;
    private static final int PATIENCE_SECONDS = 60;

    private EventCarriers() {}

    static EventCarrier of(String name, EventCarrier.Slot[] slots) {
        return switch (name) {
            case "direct" -> parked(CqCarrier.direct(soft0(), EventCarriers::raiser, slots));
            case "oneChannel" -> onChannels(slots, 1);
            case "sixteenChannels" -> onChannels(slots, SOME_CHANNELS);
            case "channelEach" -> onChannels(slots, slots.length);
            case "inlineDispatcher" -> new InlineDispatcher();
            case "pool64" -> new Pool(slots, POOL);
            case "pool4" -> new Pool(slots, 4);
            case "unparkEach" -> new UnparkEach(slots);
            case "queueEach" -> new QueueEach(slots, Thread.ofVirtual());
            case "threadEach" -> {
                checkThreads(slots.length);
                yield new QueueEach(slots, Thread.ofPlatform());
            }
            default -> throw new IllegalArgumentException("no carrier is called " + name);
        };
    }

    private static Context soft0() {
        return Verbs.device("soft0").open();
    }

    private static Runnable raiser(CompletionQueue cq) {
        return cq.listener()::completionEvent;
    }

    private static CqCarrier onChannels(EventCarrier.Slot[] slots, int channels) {
        return parked(CqCarrier.onChannels(soft0(), EventCarriers::raiser, slots, channels));
    }

    private static CqCarrier parked(CqCarrier carrier) {
        untilWaiting(carrier.handlers());
        return carrier;
    }

    private static void join(List<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            thread.interrupt();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but speed
    private static void untilWaiting(List<Thread> threads) {
        for (Thread thread : threads) {
            while (thread.getState() != Thread.State.WAITING) {
                Thread.yield();
            }
        }
    }

    /**
     * The limit, where no handler may block: one platform thread takes events from the fastest
     * queue there is and calls the handlers.
     */
    private static final class InlineDispatcher implements EventCarrier {
        private final MpscBlockingConsumerArrayQueue<Slot> queue =
                new MpscBlockingConsumerArrayQueue<>(QUEUE);
        private final Thread dispatcher = Thread.ofPlatform().start(this::dispatch);

        private void dispatch() {
            try {
                for (; ; ) {
                    queue.take().handle();
                }
            } catch (InterruptedException e) {
                // Asked to end.
            }
        }

        @Override
        public void raise(Slot slot) {
            if (!queue.offer(slot)) {
                throw new IllegalStateException("more events are under way than the queue holds");
            }
        }

        @Override
        public void end() throws InterruptedException {
            join(List.of(dispatcher));
        }
    }

    /**
     * A pool of platform threads, where handlers may block, as many at once as there are threads.
     * The raising thread dispatches: that spares the design a thread switch.
     */
    private static final class Pool implements EventCarrier {
        private final ExecutorService pool;

        Pool(Slot[] slots, int threads) {
            pool = Executors.newFixedThreadPool(threads);
            for (Slot slot : slots) {
                Runnable handler = slot::handle;
                slot.carried = handler;
            }
        }

        @Override
        public void raise(Slot slot) {
            pool.execute((Runnable) slot.carried);
        }

        @Override
        public void end() throws InterruptedException {
            pool.shutdown();
            if (!pool.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the pool did not end");
            }
        }
    }

    /**
     * The limit of all that wakes a virtual thread for each event: one that only parks. The raising
     * thread has at most one event under way for it, so that {@code raised} says all.
     */
    private static final class UnparkEach implements EventCarrier {
        private final List<Thread> handlers = new ArrayList<>();

        @SuppressWarnings("NonAtomicVolatileUpdate") // written by the raiser alone
        private static final class Parked {
            private final Thread thread;
            private volatile long raised;

            Parked(Slot slot) {
                thread = Thread.ofVirtual().start(() -> serve(slot));
            }

            private void serve(Slot slot) {
                while (!Thread.interrupted()) {
                    while (raised != slot.handled) {
                        slot.handle();
                    }
                    LockSupport.park(this);
                }
            }

            void raise() {
                raised = raised + 1;
                LockSupport.unpark(thread);
            }
        }

        UnparkEach(Slot[] slots) {
            for (Slot slot : slots) {
                Parked parked = new Parked(slot);
                slot.carried = parked;
                handlers.add(parked.thread);
            }
            untilWaiting(handlers);
        }

        @Override
        public void raise(Slot slot) {
            ((Parked) slot.carried).raise();
        }

        @Override
        public void end() throws InterruptedException {
            join(handlers);
        }
    }

    /** A queue and a thread for each CQ; the raising thread puts the event into the right one. */
    private static final class QueueEach implements EventCarrier {
        private final List<Thread> handlers = new ArrayList<>();

        QueueEach(Slot[] slots, Thread.Builder builder) {
            for (Slot slot : slots) {
                LinkedBlockingQueue<Slot> queue = new LinkedBlockingQueue<>();
                slot.carried = queue;
                handlers.add(builder.start(() -> serve(queue)));
            }
            untilWaiting(handlers);
        }

        private static void serve(LinkedBlockingQueue<Slot> queue) {
            try {
                for (; ; ) {
                    queue.take().handle();
                }
            } catch (InterruptedException e) {
                // Asked to end.
            }
        }

        @Override
        @SuppressWarnings("unchecked") // put there by the constructor
        public void raise(Slot slot) {
            ((LinkedBlockingQueue<Slot>) slot.carried).add(slot);
        }

        @Override
        public void end() throws InterruptedException {
            join(handlers);
        }
    }

    /** More than some tens of thousands take the machine down before they fail. */
    private static void checkThreads(int threads) {
        if (threads > MAX_THREADS) {
            throw new IllegalStateException(
                    String.format(
                            Locale.ROOT,
                            "%,d platform threads are more than the %,d that are tried",
                            threads,
                            MAX_THREADS));
        }
    }
}
