package io.loomverbs;

import io.loomverbs.internal.device.CqListener;

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
            case "direct" -> new Direct(slots);
            case "oneChannel" -> new Channels(slots, 1);
            case "sixteenChannels" -> new Channels(slots, SOME_CHANNELS);
            case "channelEach" -> new Channels(slots, slots.length);
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

    /** A CQ each, with direct delivery; its handler waits for it alone. */
    private static final class Direct implements EventCarrier {
        private final Context context = Verbs.device("soft0").open();
        private final List<CompletionQueue> cqs = new ArrayList<>();
        private final List<Thread> handlers = new ArrayList<>();

        Direct(Slot[] slots) {
            for (Slot slot : slots) {
                CompletionQueue cq = context.createDirectCq(1);
                slot.carried = cq.listener();
                cqs.add(cq);
                handlers.add(Thread.ofVirtual().start(() -> serve(cq, slot)));
            }
            untilWaiting(handlers);
        }

        private static void serve(CompletionQueue cq, Slot slot) {
            try {
                for (; ; ) {
                    CqEvent event = cq.getCqEvent();
                    slot.handle();
                    event.close();
                }
            } catch (InterruptedException e) {
                // Asked to end.
            }
        }

        @Override
        public void raise(Slot slot) {
            ((CqListener) slot.carried).completionEvent();
        }

        @Override
        public void end() throws InterruptedException {
            join(handlers);
            cqs.forEach(CompletionQueue::close);
            context.close();
        }
    }

    /**
     * CQs on channels, and as many handlers as CQs, which wait at the channels for whichever CQ
     * comes.
     */
    private static final class Channels implements EventCarrier {
        private final Context context = Verbs.device("soft0").open();
        private final List<CompletionChannel> channels = new ArrayList<>();
        private final List<CompletionQueue> cqs = new ArrayList<>();
        private final List<Thread> handlers = new ArrayList<>();

        Channels(Slot[] slots, int count) {
            for (int i = 0; i < Math.min(count, slots.length); i++) {
                channels.add(context.createCompChannel());
            }
            for (Slot slot : slots) {
                CompletionChannel channel = channels.get(slot.index % channels.size());
                CompletionQueue cq = context.createCq(1, slot, channel, 0);
                slot.carried = cq.listener();
                cqs.add(cq);
                handlers.add(Thread.ofVirtual().start(() -> serve(channel)));
            }
            untilWaiting(handlers);
        }

        private static void serve(CompletionChannel channel) {
            try {
                for (; ; ) {
                    try (CqEvent event = channel.getCqEvent()) {
                        ((Slot) event.cqContext()).handle();
                    }
                }
            } catch (InterruptedException e) {
                // Asked to end.
            }
        }

        @Override
        public void raise(Slot slot) {
            ((CqListener) slot.carried).completionEvent();
        }

        @Override
        public void end() throws InterruptedException {
            join(handlers);
            cqs.forEach(CompletionQueue::close);
            channels.forEach(CompletionChannel::close);
            context.close();
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
     * Who raises is the dispatcher: that spares the design a thread switch.
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
     * The limit of all that wakes a virtual thread for each event: one that only parks. Who raises
     * has one event under way for it at most, so that {@code raised} says all.
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

    /** A queue and a thread for each CQ; who raises puts the event straight into the right one. */
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
