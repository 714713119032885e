package io.loomverbs;

import io.loomverbs.internal.device.ApiObjects;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.QpOps;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;

/** The objects of the API, as the test kit sees them. */
final class OpenObjects extends ApiObjects {
    private static final OpenObjects INSTANCE = new OpenObjects();

    /** A context that was dropped without a close is not kept. Under its own lock. */
    private final WeakHashMap<Context, Long> contexts = new WeakHashMap<>();

    private long opened;

    private OpenObjects() {
        ApiObjects.provide(this);
    }

    static void opened(Context context) {
        INSTANCE.add(context);
        context.usage().opened(context);
    }

    /** The life cycle of an object of a device; null for anything else. */
    @SuppressWarnings("IfChainToSwitch") // the first use of a switch needs memory: may be none
    static @Nullable Lifecycle usageOf(Object open) {
        if (open instanceof QueuePair qp) {
            return qp.usage();
        } else if (open instanceof AddressHandle ah) {
            return ah.usage();
        } else if (open instanceof MemoryWindow mw) {
            return mw.usage();
        } else if (open instanceof MemoryRegion mr) {
            return mr.usage();
        } else if (open instanceof SharedReceiveQueue srq) {
            return srq.usage();
        } else if (open instanceof CompletionQueue cq) {
            return cq.usage();
        } else if (open instanceof CompletionChannel channel) {
            return channel.usage();
        } else if (open instanceof ProtectionDomain pd) {
            return pd.usage();
        }
        return open instanceof Context context ? context.usage() : null;
    }

    private void add(Context context) {
        synchronized (contexts) {
            contexts.put(context, opened++);
        }
    }

    static void closed(Context context) {
        synchronized (INSTANCE.contexts) {
            INSTANCE.contexts.remove(context);
        }
    }

    @Override
    public ContextOps opsOfContext(Object context) {
        return ((Context) context).openOps();
    }

    @Override
    public QpOps opsOfQp(Object qp) {
        return ((QueuePair) qp).openOps();
    }

    @Override
    public CqOps opsOfCq(Object cq) {
        return ((CompletionQueue) cq).openOps();
    }

    @Override
    public List<Object> openContexts() {
        synchronized (contexts) {
            List<Context> open = new ArrayList<>(contexts.keySet());
            open.sort(Comparator.comparing(context -> contexts.getOrDefault(context, 0L)));
            return new ArrayList<>(open);
        }
    }

    /** The contexts that are open, in any order. */
    static List<Context> contexts() {
        synchronized (INSTANCE.contexts) {
            return List.copyOf(INSTANCE.contexts.keySet());
        }
    }

    @Override
    public List<Object> openIn(Object context) {
        Set<Object> all = new LinkedHashSet<>();
        List<Object> direct = ((Context) context).usage().openUsers();
        for (Object user : direct) {
            if (user instanceof ProtectionDomain pd) {
                all.addAll(pd.usage().openUsers());
            }
        }
        all.addAll(direct);
        return new ArrayList<>(all);
    }

    @Override
    public List<Object> unackedAsyncEvents(Object context) {
        return new ArrayList<>(((Context) context).asyncEvents().unacked());
    }
}
