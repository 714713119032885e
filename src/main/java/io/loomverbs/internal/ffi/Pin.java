package io.loomverbs.internal.ffi;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Keeps an object reachable until it is released, even if nothing else refers to it or to its class
 * loader.
 *
 * <p>The JDK keeps the cleanup of an automatic arena reachable as long as the arena lives. A
 * cleanup that refers to its own arena keeps it alive.
 */
@SuppressWarnings("restricted") // allowed in this package
public final class Pin {
    private volatile @Nullable Object object;

    @SuppressWarnings("UnusedVariable") // its purpose is to be held
    private volatile @Nullable Arena arena;

    private Pin(Object object) {
        this.object = object;
    }

    /** Keeps {@code object} reachable from now on. */
    public static Pin of(Object object) {
        Pin pin = new Pin(object);
        Arena arena = Arena.ofAuto();
        pin.arena = arena;
        MemorySegment.NULL.reinterpret(arena, ignored -> pin.release());
        return pin;
    }

    /** Releases the object. Doing so again does nothing. */
    public void release() {
        object = null;
        arena = null;
    }

    /** The object, or null. */
    public @Nullable Object object() {
        return object;
    }
}
