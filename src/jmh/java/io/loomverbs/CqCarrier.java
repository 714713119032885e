package io.loomverbs;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The library: a CQ for each slot, and as many handlers on virtual threads. */
final class CqCarrier implements EventCarrier {
    private final Context context;
    private final Function<CompletionQueue, Runnable> raisers;
    private final List<CompletionChannel> channels = new ArrayList<>();
    private final List<CompletionQueue> cqs = new ArrayList<>();
    private final List<Thread> handlers = new ArrayList<>();

    private interface Handler {
        void handleNext() throws InterruptedException;
    }

    /**
     * @param raisers how an event of the CQ that was created last is raised
     */
    private CqCarrier(Context context, Function<CompletionQueue, Runnable> raisers) {
        this.context = context;
        this.raisers = raisers;
    }

    /** CQs with direct delivery; a handler waits for its CQ alone. */
    static CqCarrier direct(
            Context context, Function<CompletionQueue, Runnable> raisers, Slot[] slots) {
        CqCarrier carrier = new CqCarrier(context, raisers);
        for (Slot slot : slots) {
            CompletionQueue cq = context.createDirectCq(1);
            carrier.add(
                    slot,
                    cq,
                    () -> {
                        CqEvent event = cq.getCqEvent();
                        slot.handle();
                        event.close();
                    });
        }
        return carrier;
    }

    /** CQs on some channels, at which the handlers wait for whichever CQ comes. */
    static CqCarrier onChannels(
            Context context,
            Function<CompletionQueue, Runnable> raisers,
            Slot[] slots,
            int channels) {
        CqCarrier carrier = new CqCarrier(context, raisers);
        for (int i = 0; i < Math.min(channels, slots.length); i++) {
            carrier.channels.add(context.createCompChannel());
        }
        for (Slot slot : slots) {
            CompletionChannel channel = carrier.channels.get(slot.index % carrier.channels.size());
            carrier.add(
                    slot,
                    context.createCq(1, slot, channel, 0),
                    () -> {
                        try (CqEvent event = channel.getCqEvent()) {
                            ((Slot) event.cqContext()).handle();
                        }
                    });
        }
        return carrier;
    }

    private void add(Slot slot, CompletionQueue cq, Handler handler) {
        slot.carried = raisers.apply(cq);
        cqs.add(cq);
        handlers.add(Thread.ofVirtual().start(() -> serve(handler)));
    }

    private static void serve(Handler handler) {
        try {
            for (; ; ) {
                handler.handleNext();
            }
        } catch (InterruptedException e) {
            // Asked to end.
        }
    }

    /** The threads that handle events. */
    List<Thread> handlers() {
        return handlers;
    }

    @Override
    public void raise(Slot slot) {
        ((Runnable) slot.carried).run();
    }

    @Override
    public void end() throws InterruptedException {
        handlers.forEach(Thread::interrupt);
        for (Thread handler : handlers) {
            handler.join();
        }
        cqs.forEach(CompletionQueue::close);
        channels.forEach(CompletionChannel::close);
        context.close();
    }
}
