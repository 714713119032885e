package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.ffi.Libibverbs;
import io.loomverbs.internal.ffi.Librdmacm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The functions of librdmacm where reading an event meets the destruction of its id: the races
 * replace them.
 */
interface EventCalls {
    EventCalls LIBRDMACM =
            new EventCalls() {
                @Override
                public MemorySegment callState(Arena arena) {
                    return Libibverbs.callState(arena);
                }

                @Override
                public int getCmEvent(MemorySegment call, long channel, long event) {
                    return Librdmacm.getCmEvent(call, channel, event);
                }

                @Override
                public int ackCmEvent(MemorySegment call, long event) {
                    return Librdmacm.ackCmEvent(call, event);
                }

                @Override
                public int destroyId(MemorySegment call, long id) {
                    return Librdmacm.destroyId(call, id);
                }
            };

    /** As {@link Libibverbs#callState}. */
    MemorySegment callState(Arena arena);

    /** As {@link Librdmacm#getCmEvent}. */
    int getCmEvent(MemorySegment call, long channel, long event);

    /** As {@link Librdmacm#ackCmEvent}. */
    int ackCmEvent(MemorySegment call, long event);

    /** As {@link Librdmacm#destroyId}. */
    int destroyId(MemorySegment call, long id);
}
