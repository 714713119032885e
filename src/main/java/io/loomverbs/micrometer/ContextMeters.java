package io.loomverbs.micrometer;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.ChannelStats;
import io.loomverbs.ClosedException;
import io.loomverbs.Context;
import io.loomverbs.ContextStats;
import io.loomverbs.CqStats;
import io.loomverbs.WaitStats;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Shows the statistics of a context ({@link Context#stats}) as meters of a registry of Micrometer,
 * until it is closed. The meters show what the last {@link #update} has read; call it as often as
 * the registry is read, such as a few times a minute.
 *
 * <p>Each meter has the tag {@code context}; those of a CQ or a channel have the tag {@code cq} or
 * {@code channel}, as in messages. An object that was closed loses its meters at the next update.
 *
 * <table>
 * <caption>The meters</caption>
 * <tr><th>name</th><th>shows</th></tr>
 * <tr><td>{@code loomverbs.cq.events}, {@code .completions}, {@code .arms}, {@code
 * .empty.wakeups}</td><td>counters of {@link CqStats}</td></tr>
 * <tr><td>{@code loomverbs.cq.pending}, {@code .unacked}, {@code .waiters}</td><td>gauges of
 * {@link CqStats}</td></tr>
 * <tr><td>{@code loomverbs.cq.unacked.oldest}</td><td>how long ago the oldest unacknowledged event
 * was received, in seconds; NaN if that is not known</td></tr>
 * <tr><td>{@code loomverbs.channel.events}</td><td>a counter of {@link ChannelStats}</td></tr>
 * <tr><td>{@code loomverbs.channel.cqs}, {@code .waiters}, {@code .servers}</td><td>gauges of
 * {@link ChannelStats}</td></tr>
 * <tr><td>{@code loomverbs.cqs}, {@code .channels}, {@code .waits}, {@code .problems}, {@code
 * .async.unacked}</td><td>gauges: how many there are in {@link ContextStats}</td></tr>
 * <tr><td>{@code loomverbs.waits.longest}</td><td>how long the longest waiting thread has waited,
 * in seconds</td></tr>
 * </table>
 *
 * <p>A CQ has 8 meters. With very many CQs, use a {@code MeterFilter} of the registry to leave out
 * unwanted ones.
 *
 * <p>Safe for use by any number of threads. Micrometer refers to what it reads weakly, so keep this
 * object.
 *
 * @since 0.1.0
 */
public final class ContextMeters implements AutoCloseable {
    private static final double NANOS_A_SECOND = 1e9;

    private final Context context;
    private final MeterRegistry registry;
    private final Tags tags;
    private final MeterSet<ContextStats> ofContext;

    @GuardedBy("this")
    private final Map<String, MeterSet<CqStats>> cqs = new HashMap<>();

    @GuardedBy("this")
    private final Map<String, MeterSet<ChannelStats>> channels = new HashMap<>();

    @GuardedBy("this")
    private boolean closed;

    private ContextMeters(Context context, MeterRegistry registry, Tags tags) {
        ContextStats stats = context.stats();
        this.context = context;
        this.registry = registry;
        this.tags = tags.and("context", stats.context());
        this.ofContext =
                new MeterSet<>(registry, this.tags, "loomverbs.", stats)
                        .gauge("cqs", all -> all.cqs().size())
                        .gauge("channels", all -> all.channels().size())
                        .gauge("waits", all -> all.waits().size())
                        .gauge("problems", all -> all.problems().size())
                        .gauge("async.unacked", ContextStats::unackedAsyncEvents)
                        .seconds("waits.longest", ContextMeters::longestWait);
        update(stats);
    }

    /**
     * Registers the meters of a context, and reads its statistics for the first time.
     *
     * @param context the context
     * @param registry the registry for its meters
     * @param tags of all meters, besides those that this adds. Two contexts of one device need some
     *     that differ: the registry has one meter for each name and tags
     * @return the meters, to be updated and closed
     * @throws ClosedException if the context is closed
     */
    public static ContextMeters of(Context context, MeterRegistry registry, Tag... tags) {
        notNull(context, "context");
        notNull(registry, "registry");
        notNull(tags, "tags");
        for (Tag tag : tags) {
            notNull(tag, "tags");
        }
        return new ContextMeters(context, registry, Tags.of(tags));
    }

    private static void notNull(Object value, String name) {
        if (value == null) {
            throw new NullPointerException(name + " is null");
        }
    }

    /**
     * Reads the statistics once; all meters show them from now on. CQs and channels that were
     * created since then get meters, those of closed ones are removed.
     *
     * @throws ClosedException if this or the context is closed
     */
    public synchronized void update() {
        if (closed) {
            throw new ClosedException(this);
        }
        update(context.stats());
    }

    private synchronized void update(ContextStats stats) {
        ofContext.show(stats);
        Set<String> open = new HashSet<>();
        for (CqStats cq : stats.cqs()) {
            open.add(cq.cq());
            cqs.computeIfAbsent(cq.cq(), name -> metersOf(cq)).show(cq);
        }
        forgetOthers(cqs, open);
        open.clear();
        for (ChannelStats channel : stats.channels()) {
            open.add(channel.channel());
            channels.computeIfAbsent(channel.channel(), name -> metersOf(channel)).show(channel);
        }
        forgetOthers(channels, open);
    }

    private MeterSet<CqStats> metersOf(CqStats cq) {
        return new MeterSet<>(registry, tags.and("cq", cq.cq()), "loomverbs.cq.", cq)
                .counter("events", CqStats::events)
                .counter("completions", CqStats::completions)
                .counter("arms", CqStats::arms)
                .counter("empty.wakeups", CqStats::emptyWakeUps)
                .gauge("pending", CqStats::pendingEvents)
                .gauge("unacked", CqStats::unackedEvents)
                .gauge("waiters", CqStats::waiters)
                .seconds("unacked.oldest", ContextMeters::oldest);
    }

    private MeterSet<ChannelStats> metersOf(ChannelStats channel) {
        Tags its = tags.and("channel", channel.channel());
        return new MeterSet<>(registry, its, "loomverbs.channel.", channel)
                .counter("events", ChannelStats::events)
                .gauge("cqs", ChannelStats::cqs)
                .gauge("waiters", ChannelStats::waiters)
                .gauge("servers", ChannelStats::servers);
    }

    private static <T> void forgetOthers(Map<String, MeterSet<T>> meters, Set<String> open) {
        meters.entrySet()
                .removeIf(
                        entry -> {
                            boolean gone = !open.contains(entry.getKey());
                            if (gone) {
                                entry.getValue().remove();
                            }
                            return gone;
                        });
    }

    private static double oldest(CqStats cq) {
        return cq.oldestUnackedNanos() < 0 ? Double.NaN : cq.oldestUnackedNanos() / NANOS_A_SECOND;
    }

    private static double longestWait(ContextStats stats) {
        return stats.waits().stream().mapToLong(WaitStats::nanos).max().orElse(0) / NANOS_A_SECOND;
    }

    /** Removes the meters from the registry. Closing again does nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        forgetOthers(cqs, Set.of());
        forgetOthers(channels, Set.of());
        ofContext.remove();
    }

    /** The context's name. */
    @Override
    public String toString() {
        return "meters of " + context;
    }
}
