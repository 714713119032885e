package io.loomverbs.internal.device;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/**
 * The providers of one service that the library's own loader finds: once. If that fails, as without
 * a file descriptor, the next call tries again.
 *
 * @param <P> the service
 */
public final class Providers<P> {
    private final Class<P> service;
    private volatile @Nullable List<P> found;

    /** Looks for nothing yet. */
    public Providers(Class<P> service) {
        this.service = service;
    }

    /** An unmodifiable list. */
    public List<P> get() {
        List<P> all = found;
        return all != null ? all : load();
    }

    private synchronized List<P> load() {
        List<P> all = found;
        if (all == null) {
            List<P> loaded = new ArrayList<>();
            ServiceLoader.load(service, Providers.class.getClassLoader()).forEach(loaded::add);
            all = List.copyOf(loaded);
            found = all;
        }
        return all;
    }
}
