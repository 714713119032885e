package io.loomverbs.management;

import io.loomverbs.ClosedException;
import io.loomverbs.Context;
import io.loomverbs.ContextStats;
import io.loomverbs.internal.device.ApiObjects;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Reads the contexts of this copy of the library. */
final class OpenContexts implements VerbsMXBean {
    @Override
    public List<ContextStats> getContexts() {
        return ofEach(Context::stats);
    }

    @Override
    public String dump() {
        return String.join("", ofEach(Context::dump));
    }

    private static <T> List<T> ofEach(Function<Context, T> reading) {
        List<T> all = new ArrayList<>();
        ApiObjects objects = ApiObjects.get();
        List<Object> contexts = objects == null ? List.of() : objects.openContexts();
        for (Object context : contexts) {
            try {
                all.add(reading.apply((Context) context));
            } catch (ClosedException e) {
                // It was closed meanwhile.
            }
        }
        return all;
    }
}
