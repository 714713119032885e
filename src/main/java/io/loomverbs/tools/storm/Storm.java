package io.loomverbs.tools.storm;

import io.loomverbs.Access;
import io.loomverbs.CompletionChannel;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Many CQs, a blocking handler each, and real messages between them, every one of which is
 * verified.
 */
public final class Storm {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long LOOK_NANOS = 2_000_000;

    private final Context context;
    private final StormPlan plan;
    private final StormState state;
    private final boolean measureHeap;
    private final List<Link> links = new ArrayList<>();
    private final List<CompletionChannel> channels = new ArrayList<>();
    private final List<EndpointSlot> slots = new ArrayList<>();
    private final List<Thread> handlers = new ArrayList<>();

    /** Whether {@link #stop} was called. */
    private volatile boolean interrupted;

    /** When messages began to be sent; 0 before. */
    private volatile long startedNanos;

    /** How long messages were sent; 0 before the end. */
    private volatile long sentNanos;

    /**
     * Prepares a storm.
     *
     * @param context the device, which the storm leaves open, with nothing of its own
     * @param plan what it is to be
     * @param measureHeap whether to measure the heap of idle handlers, which takes some full
     *     collections
     */
    public Storm(Context context, StormPlan plan, boolean measureHeap) {
        this(context, plan, measureHeap, new StormState(plan.cqs()));
    }

    Storm(Context context, StormPlan plan, boolean measureHeap, StormState state) {
        this.context = context;
        this.plan = plan;
        this.measureHeap = measureHeap;
        this.state = state;
    }

    /** Ends the storm before its time; what has happened so far is the result. Any thread. */
    public void stop() {
        interrupted = true;
        state.stop();
    }

    /**
     * How many messages were received so far.
     *
     * @return the number at this moment
     */
    public long messages() {
        return state.tally().messages.sum();
    }

    /**
     * How many handlers have had no work yet.
     *
     * @return the number at this moment
     */
    public int idleHandlers() {
        return plan.cqs() - state.tally().handlersAtWork();
    }

    /**
     * How long messages have been sent.
     *
     * @return nanoseconds: 0 while the storm is being prepared, and the same from its end on
     */
    public long elapsedNanos() {
        long sent = sentNanos;
        long started = startedNanos;
        if (sent != 0 || started == 0) {
            return sent;
        }
        return System.nanoTime() - started;
    }

    /**
     * Runs the storm. Once.
     *
     * @return what it has come to
     * @throws InterruptedException if the thread is interrupted
     */
    public StormResult run() throws InterruptedException {
        try (ProtectionDomain pd = context.allocPd();
                MemoryRegion memory =
                        pd.allocateMr(
                                plan.cqs() * StormEndpoint.bytesOfStation(plan),
                                Access.LOCAL_WRITE)) {
            long before = measureHeap ? Heap.usedBytes() : 0;
            Churn churn = new Churn(links, plan, state);
            onVirtualThread(
                    "open",
                    () -> {
                        open(pd, memory);
                        churn.start();
                    });
            long heap = measureHeap ? Heap.usedBytes() - before : 0;
            onVirtualThread("connect", () -> links.forEach(Link::connect));
            double cpuBefore = cpuSeconds();
            double seconds = blow(churn);
            double cpu = cpuSeconds() - cpuBefore;
            settle(() -> links.stream().mapToLong(Link::underWay).sum());
            settle(() -> links.stream().mapToLong(Link::unacked).sum());
            long lost = links.stream().mapToLong(Link::underWay).sum();
            long unacked = links.stream().mapToLong(Link::unacked).sum();
            close();
            return result(seconds, cpu, lost, unacked, Math.max(0, heap / plan.cqs()));
        }
    }

    private void open(ProtectionDomain pd, MemoryRegion memory) {
        if (plan.delivery() == StormDelivery.CHANNEL) {
            for (int i = 0; i < plan.channels(); i++) {
                channels.add(context.createCompChannel());
            }
            for (int i = 0; i < plan.cqs(); i++) {
                CompletionChannel channel = channels.get(i % channels.size());
                handlers.add(StormHandlers.onChannel(i, channel, state));
            }
        }
        for (int i = 0; i < plan.cqs() && channels.isEmpty(); i++) {
            EndpointSlot slot = new EndpointSlot();
            slots.add(slot);
            handlers.add(StormHandlers.direct(i, slot, plan.strategy() != null, state));
        }
        for (int i = 0; i < plan.cqs() && !state.stopping(); i += 2) {
            int last = Math.min(i + 1, plan.cqs() - 1);
            Link link = new Link(i, last, plan, state, context, pd, memory, channels, slots);
            link.open();
            links.add(link);
        }
    }

    /** Sends messages for as long as it was planned, and on until each handler has had work. */
    private double blow(Churn churn) throws InterruptedException {
        long started = System.nanoTime();
        startedNanos = started;
        onVirtualThread(
                "start",
                () -> {
                    startLinks();
                    churn.begin();
                });
        if (!state.awaitStop(plan.duration().toNanos() - (System.nanoTime() - started))) {
            new Overtime(plan, state).await();
        }
        long ended = System.nanoTime();
        state.stop();
        churn.join();
        links.forEach(link -> link.stop(ended));
        sentNanos = System.nanoTime() - started;
        return sentNanos / 1e9;
    }

    private static double cpuSeconds() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos()
                / 1e9;
    }

    private void startLinks() {
        for (Link link : links) {
            if (state.stopping()) {
                return;
            }
            link.start();
        }
    }

    /*
     * A thread that a virtual thread starts or wakes goes to its carrier's own queue and takes turns
     * with the rest. One that a platform thread starts or wakes waits each time until a carrier looks
     * at external submissions.
     */
    private void onVirtualThread(String name, Runnable part) throws InterruptedException {
        Thread thread =
                Thread.ofVirtual()
                        .name("storm-" + name)
                        .start(
                                () -> {
                                    try {
                                        part.run();
                                    } catch (RuntimeException | Error e) {
                                        state.failures().add("to " + name + " the storm", e);
                                    }
                                });
        thread.join();
    }

    /** Waits for something to come down to zero, as long as it moves. */
    private void settle(LongSupplier remaining) throws InterruptedException {
        // After a failure, messages that do not move are lost, and waiting for them is pointless.
        long patience = PATIENCE.toNanos() / (state.failures().count() == 0 ? 3 : 30);
        long last = Long.MAX_VALUE;
        long movedNanos = System.nanoTime();
        for (long now = remaining.getAsLong(); now != 0; now = remaining.getAsLong()) {
            if (now != last) {
                last = now;
                movedNanos = System.nanoTime();
            } else if (System.nanoTime() - movedNanos > patience) {
                return;
            }
            Thread.sleep(Duration.ofNanos(LOOK_NANOS));
        }
    }

    private void close() throws InterruptedException {
        links.forEach(Link::close);
        channels.forEach(CompletionChannel::close);
        slots.forEach(EndpointSlot::close);
        for (Thread handler : handlers) {
            if (!handler.join(PATIENCE)) {
                state.failures()
                        .add(
                                handler.getName(),
                                new IllegalStateException("still runs after all was closed"));
            }
        }
    }

    private StormResult.Waits waits() {
        long steadySince = state.tally().steadySince();
        long started = startedNanos;
        return new StormResult.Waits(
                steadySince == 0 ? Double.NaN : (steadySince - started) / 1e9,
                state.scratchPool().startNanos(),
                state.scratchPool().queueingNanos(),
                state.tally().gaps());
    }

    private StormResult result(double seconds, double cpu, long lost, long unacked, long heap) {
        Tally tally = state.tally();
        List<String> failures = new ArrayList<>();
        state.failures().first().forEach(failure -> failures.add(failure.toString()));
        int more = state.failures().count() - failures.size();
        if (more > 0) {
            failures.add("and " + more + " more");
        }
        return new StormResult(
                plan,
                interrupted,
                seconds,
                cpu,
                tally.handlersAtWork(),
                tally.messages.sum(),
                tally.events.sum(),
                lost,
                tally.duplicated.sum(),
                tally.corrupted.sum(),
                unacked,
                tally.destroyed.sum(),
                tally.dropped.sum(),
                waits(),
                heap,
                failures);
    }
}
