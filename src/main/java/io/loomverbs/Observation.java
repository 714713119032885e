package io.loomverbs;

import io.loomverbs.internal.event.Waiting;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads the state of the objects of a context, without stopping any thread. */
final class Observation {
    final List<CqStats> cqs = new ArrayList<>();
    final List<ChannelStats> channels = new ArrayList<>();
    final List<WaitStats> waits = new ArrayList<>();
    final List<String> problems = new ArrayList<>();
    final List<CompletionQueue> openCqs = new ArrayList<>();
    final List<CompletionChannel> openChannels = new ArrayList<>();

    /** The channels on which no thread waits, and which none serves. */
    private final Set<CompletionChannel> unreceived = new HashSet<>();

    /** Unacknowledged events that nothing waits for: a busy CQ has some at any moment. */
    private final List<String> passing = new ArrayList<>();

    /** The groups of those CQs that are in one. */
    private final Map<CompletionQueue, CqGroup> groups = new HashMap<>();

    private final Context context;

    /** Observes everything that is open in a context. */
    Observation(Context context) {
        this.context = context;
        List<Object> open = new ArrayList<>(context.usage().openUsers());
        for (Object object : open) {
            switch (object) {
                case CompletionQueue cq -> openCqs.add(cq);
                case CompletionChannel channel -> openChannels.add(channel);
                case ProtectionDomain pd -> pd.usage().openUsers().forEach(this::closersOf);
                default -> {} // nothing that has events
            }
        }
        for (CqGroup group : CqGroup.open()) {
            observe(group);
        }
        openCqs.sort(Comparator.comparingInt(CompletionQueue::id));
        openChannels.sort(Comparator.comparingInt(CompletionChannel::id));
        Set<Object> served = new HashSet<>(openCqs);
        served.addAll(openChannels);
        problems.addAll(HandlerCalls.running(served, HeldWatch.LOOK_NANOS));
        openChannels.forEach(this::observe);
        openCqs.forEach(this::observe);
        add(context.asyncEvents().waiting(), "an asynchronous event of " + context);
        Set<AsyncEvent> unacked = context.asyncEvents().unacked();
        for (AsyncEvent event : unacked) {
            problems.add("not acknowledged: the asynchronous event " + event);
        }
        problems.addAll(passing);
        addLayers();
    }

    /** A thread that polls for a layer waits for an event, too: what the layer says tells more. */
    private void addLayers() {
        List<WaitStats> ofLayers = context.layerWaits().now();
        Set<Long> threads = ofLayers.stream().map(WaitStats::threadId).collect(Collectors.toSet());
        waits.removeIf(wait -> threads.contains(wait.threadId()));
        waits.addAll(ofLayers);
    }

    /** A group without members belongs to no context: threads that wait for it are in each. */
    private void observe(CqGroup group) {
        Set<CompletionQueue> members = group.members();
        List<Waiting> waiting = group.waiting();
        members.forEach(cq -> groups.put(cq, group));
        if (members.isEmpty()) {
            add(waiting, "completions of " + group + ", which has no members");
            if (!waiting.isEmpty()) {
                problems.add(
                        group
                                + " has no members; waiting for it: "
                                + Wording.count(waiting.size(), "thread"));
            }
        } else if (members.stream().anyMatch(cq -> cq.context() == context)) {
            add(waiting, "completions of " + group);
        }
    }

    ContextStats stats() {
        return new ContextStats(
                context.toString(),
                cqs,
                channels,
                waits,
                context.asyncEvents().unacked().size(),
                problems);
    }

    private void closersOf(Object object) {
        if (object instanceof QueuePair qp) {
            add(qp.ledger().closers(), closeOf(qp));
        } else if (object instanceof SharedReceiveQueue srq) {
            add(srq.ledger().closers(), closeOf(srq));
        }
    }

    private static String closeOf(Object object) {
        return "acknowledgements, to close " + object;
    }

    private void add(List<Waiting> waiting, String what) {
        long now = System.nanoTime();
        for (Waiting w : waiting) {
            Thread thread = w.thread();
            waits.add(
                    new WaitStats(
                            thread.getName(),
                            thread.threadId(),
                            thread.isVirtual(),
                            what,
                            now - w.since()));
        }
    }

    private void observe(CompletionChannel channel) {
        List<Waiting> waiting = channel.queue().waiting();
        add(waiting, "an event of " + channel);
        Serving server = channel.server();
        if (server == null && waiting.isEmpty()) {
            unreceived.add(channel);
        }
        channels.add(
                new ChannelStats(
                        channel.toString(),
                        channel.name(),
                        channel.cqs().size(),
                        channel.queue().deliveredEvents(),
                        waiting.size(),
                        server == null ? 0 : server.threads().size()));
    }

    private void observe(CompletionQueue cq) {
        CqDelivery ledger = cq.ledger();
        DirectReceiver direct = cq.isDirect() ? cq.direct() : null;
        CompletionChannel channel = direct == null ? cq.channel() : null;
        List<Waiting> waiting = direct == null ? List.of() : direct.queue.waiting();
        Thread server = direct == null ? null : direct.server();
        CqGroup group = groups.get(cq);
        String what =
                group == null && server != null ? "completions to handle, of " : "an event of ";
        add(waiting, what + cq + (group == null ? "" : ", for " + group));
        List<Waiting> closers = ledger.closers();
        add(closers, closeOf(cq));
        boolean handling =
                server == null
                        ? channel != null && cq.turn().isTaken()
                        : waiting.stream().noneMatch(w -> w.thread() == server);
        int unacked = ledger.outstanding();
        int pending = ledger.queue().pending(ledger);
        cqs.add(
                new CqStats(
                        cq.toString(),
                        cq.name(),
                        channel == null ? null : channel.toString(),
                        cq.ops().events(),
                        cq.ops().polled(),
                        cq.ops().arms(),
                        direct != null
                                ? direct.emptyWakeUps()
                                : channel != null ? cq.turn().emptyWakeUps() : 0,
                        pending,
                        unacked,
                        EventTracking.ENABLED && unacked > 0 ? cq.tracking().oldestNanos() : -1,
                        waiting.size(),
                        handling));
        if (unacked > 0) {
            List<String> list = closers.isEmpty() ? passing : problems;
            list.add(
                    "not acknowledged: "
                            + Wording.count(unacked, "event")
                            + " of "
                            + cq
                            + receivers(ledger)
                            + (closers.isEmpty() ? "" : "; its close waits for that"));
        }
        boolean received =
                channel == null
                        ? server != null || !waiting.isEmpty()
                        : !unreceived.contains(channel);
        if (pending > 0 && !received) {
            problems.add(
                    "not received: "
                            + Wording.count(pending, "event")
                            + " of "
                            + cq
                            + "; no thread waits for them");
        }
    }

    /** The threads that received the unacknowledged events, where they are known. */
    private static String receivers(CqDelivery ledger) {
        Set<Thread> holders = ledger.holders();
        return holders.isEmpty()
                ? ""
                : holders.stream()
                        .map(Observation::nameOf)
                        .collect(Collectors.joining(", ", ", received by ", ""));
    }

    private static String nameOf(Thread thread) {
        return Place.nameOf(thread) + (thread.isAlive() ? "" : " (which has ended)");
    }
}
