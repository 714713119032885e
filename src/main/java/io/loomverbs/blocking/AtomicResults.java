package io.loomverbs.blocking;

import io.loomverbs.Access;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.ValueLayout;

/** Registered memory for the results of atomics, eight bytes for each place of a send queue. */
final class AtomicResults {
    private final ProtectionDomain pd;
    private final int places;
    private volatile @Nullable MemoryRegion region;

    /** Whether no more memory is registered. Guarded by the lock of this. */
    private boolean closed;

    AtomicResults(ProtectionDomain pd, int places) {
        this.pd = pd;
        this.places = places;
    }

    /**
     * Registers the memory. To be called before the first atomic is submitted.
     *
     * @return false if this was closed before any memory was registered
     */
    boolean prepare() {
        if (region == null) {
            synchronized (this) {
                if (closed) {
                    return false;
                }
                if (region == null) {
                    region = pd.allocateMr((long) places * Long.BYTES, Access.LOCAL_WRITE);
                }
            }
        }
        return true;
    }

    private MemoryRegion region() {
        MemoryRegion r = region;
        if (r == null) {
            throw new AssertionError("an atomic was submitted unprepared");
        }
        return r;
    }

    /** Describes an atomic whose result goes to this place. */
    void describe(Request r, int place) {
        RemoteRegion at = r.remote();
        r.wr.clear().sge(region(), (long) place * Long.BYTES, Long.BYTES);
        if (r.op == Op.FETCH_ADD) {
            r.wr.fetchAndAdd(at.address(), at.rkey(), r.operand);
        } else {
            r.wr.compareAndSwap(at.address(), at.rkey(), r.expected, r.operand);
        }
    }

    long get(int place) {
        return region().memory().get(ValueLayout.JAVA_LONG, (long) place * Long.BYTES);
    }

    /** Deregisters the memory. If this throws, the memory is still registered: close it again. */
    void close() {
        MemoryRegion r;
        synchronized (this) {
            closed = true;
            r = region;
        }
        if (r != null) {
            r.close();
        }
    }
}
