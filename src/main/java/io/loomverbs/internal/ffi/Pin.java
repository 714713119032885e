package io.loomverbs.internal.ffi;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Keeps an object reachable until it is released, even if everything else that knows it is
 * forgotten, its class loader included.
 *
 * <p>The JDK must be able to run the cleanup of an automatic arena, so it keeps that reachable as
 * long as the arena lives. A cleanup that knows its own arena makes it live.
 */
@SuppressWarnings("restricted") // this room is where it is allowed
public final class Pin {
    private volatile @Nullable Object object;

    @SuppressWarnings("UnusedVariable") // to hold it is what it is for
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

    /** Lets go of it. Doing so again does nothing. */
    public void release() {
        object = null;
        arena = null;
    }

    /** What is kept, or null. */
    public @Nullable Object object() {
        return object;
    }
}
