package io.loomverbs.micrometer;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The meters of one object. Used by one thread at a time, and read by those of the registry.
 *
 * @param <T> what is known of the object
 */
final class MeterSet<T> {
    private final MeterRegistry registry;
    private final Tags tags;
    private final String prefix;
    private final List<Meter> meters = new ArrayList<>();

    /** The values that the meters show. */
    private volatile T shown;

    MeterSet(MeterRegistry registry, Tags tags, String prefix, T shown) {
        this.registry = registry;
        this.tags = tags;
        this.prefix = prefix;
        this.shown = shown;
    }

    @CanIgnoreReturnValue
    MeterSet<T> counter(String name, ToDoubleFunction<T> count) {
        meters.add(
                FunctionCounter.builder(prefix + name, this, set -> count.applyAsDouble(set.shown))
                        .tags(tags)
                        .register(registry));
        return this;
    }

    @CanIgnoreReturnValue
    MeterSet<T> gauge(String name, ToDoubleFunction<T> value) {
        return gauge(name, null, value);
    }

    @CanIgnoreReturnValue
    MeterSet<T> seconds(String name, ToDoubleFunction<T> value) {
        return gauge(name, "seconds", value);
    }

    private MeterSet<T> gauge(String name, @Nullable String unit, ToDoubleFunction<T> value) {
        meters.add(
                Gauge.builder(prefix + name, this, set -> value.applyAsDouble(set.shown))
                        .tags(tags)
                        .baseUnit(unit)
                        .register(registry));
        return this;
    }

    /** From now on, the meters show this. */
    void show(T now) {
        shown = now;
    }

    void remove() {
        meters.forEach(registry::remove);
        meters.clear();
    }
}
