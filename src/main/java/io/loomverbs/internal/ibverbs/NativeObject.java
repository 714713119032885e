package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.event.DestroyGate;
import io.loomverbs.internal.ffi.Libibverbs;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongUnaryOperator;

/**
 * An object of libibverbs and its owner in Java. The context keeps the owner reachable, and the
 * memory that the device may use through it, from before the object is created until it is
 * destroyed.
 *
 * <p>Neither creation nor destruction may leave half an object. So everything that an owner needs
 * is allocated before the verb creates the object, and the object is destroyed if its creation ends
 * with an Error nevertheless. The gate decides whether the object is destroyed; a destroy that met
 * an Error afterwards is completed by the next.
 *
 * @param <G> the gate of calls that use it
 */
abstract class NativeObject<G extends DestroyGate> {
    /** Destroys an object of libibverbs: 0 or a negative errno. */
    @FunctionalInterface
    interface Destructor {
        int destroy(MemorySegment call, long address);
    }

    final IbvContext context;
    final G guard;
    private final Destructor destructor;

    /** Its key in the context. Written once, before the object is published. */
    private long id;

    /** The object of libibverbs. Written once, before the object is published. */
    private long address;

    NativeObject(IbvContext context, G guard, Destructor destructor) {
        this.context = context;
        this.guard = guard;
        this.destructor = destructor;
    }

    /**
     * Creates the object.
     *
     * @param call memory for the call, which lives until this returns
     * @param creation makes the object, given the key of this one: its address or a negative errno
     * @param arguments what the verb was called with
     */
    final void create(
            String verb, MemorySegment call, LongUnaryOperator creation, String arguments) {
        id = context.objects.add(this);
        long made = -1;
        boolean owned = false;
        try {
            made = creation.applyAsLong(id);
            if (made < 0) {
                throw Refusals.of(verb, made, arguments);
            }
            address = made;
            created();
            owned = true;
        } finally {
            if (!owned && (made < 0 || destructor.destroy(call, made) == 0)) {
                context.objects.remove(id);
            }
        }
    }

    /** Called once the object exists: reads its constant fields. Must not allocate. */
    void created() {}

    final long nativeAddress() {
        return address;
    }

    /** Destroys the object: 0, or a negative errno, after which it is usable. */
    final int destroyNative() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = Libibverbs.callState(arena);
            return destroyNative(() -> destructor.destroy(call, address));
        }
    }

    /**
     * @param destruction destroys the object. Whether it refuses or throws, the object is usable
     *     then
     */
    final int destroyNative(FdEventFeed.Destruction destruction) {
        int rc = guard.destroy(() -> context.outcome(destruction.run()), 0);
        if (rc == 0) {
            context.objects.remove(id); // even if it was destroyed before: see above
        }
        return rc;
    }
}
