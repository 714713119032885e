package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Supplier;

/** Asks the layers above the API which threads wait there. Keeps none of the layers. */
final class LayerWaits {
    @GuardedBy("this")
    private final Set<Supplier<? extends Collection<WaitStats>>> layers =
            Collections.newSetFromMap(new WeakHashMap<>());

    synchronized void add(Supplier<? extends Collection<WaitStats>> layer) {
        layers.add(layer);
    }

    /** The threads that wait now. Calls the layers without a lock. */
    List<WaitStats> now() {
        List<Supplier<? extends Collection<WaitStats>>> all;
        synchronized (this) {
            all = new ArrayList<>(layers);
        }
        List<WaitStats> waits = new ArrayList<>();
        all.forEach(layer -> waits.addAll(layer.get()));
        return waits;
    }
}
