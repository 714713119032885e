package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.ffi.Epoll;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaCmEvent;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaCmId;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ThreadLocalRandom;

/**
 * One event in the kernel, its id, and another id; and what librdmacm does with them. A destroyer
 * takes an event that was not read out of the kernel, and waits for the acknowledgement of one that
 * was. Then the memory of the id is used again, for the other id.
 */
abstract class ScriptedEvent {
    private static final RdmacmChannel CHANNEL = channel();

    static {
        id(Struct.allocate(Arena.global(), RdmaCmId.BYTES)); // or the channel ends between samples
    }

    /** Whose event the one thread that reads is to find. */
    private static ScriptedEvent read;

    /** Whose id the one thread that destroys from outside is to destroy. */
    private static ScriptedEvent destroyed;

    /** After the first such destroyer the others need not wait for nothing, too: it is shown. */
    private static boolean isKnownToBeStuck;

    private final Arena arena = Arena.ofAuto();
    private final Struct event = Struct.allocate(arena, RdmaCmEvent.BYTES);
    private final Struct idMemory = Struct.allocate(arena, RdmaCmId.BYTES);
    private final Struct incomingMemory = Struct.allocate(arena, RdmaCmId.BYTES);
    private final Struct otherMemory = Struct.allocate(arena, RdmaCmId.BYTES);
    private final RdmacmId other = id(otherMemory);
    private final RdmacmId id = id(idMemory);

    private final boolean request = ThreadLocalRandom.current().nextBoolean();
    private boolean queued = true;
    private int reads;
    private int acknowledged;
    private boolean freed;
    private boolean usedFreed;
    private boolean stuck;

    /** Of a request: whether its id is gone, or a listener has it. */
    private boolean incomingGone;

    private volatile boolean told;
    private volatile boolean toldAnother;
    private volatile boolean given;

    ScriptedEvent() {
        event.i32(RdmaCmEvent.EVENT, request ? Cm.EVENT_CONNECT_REQUEST : Cm.EVENT_DISCONNECTED);
        event.i64(RdmaCmEvent.ID, request ? incomingMemory.address() : idMemory.address());
        event.i64(RdmaCmEvent.LISTEN_ID, request ? idMemory.address() : 0);
        id.listener(
                e -> {
                    told = true;
                    given = e.incoming() != null;
                });
        other.listener(e -> toldAnother = true);
    }

    private static RdmacmChannel channel() {
        EventCalls calls =
                new EventCalls() {
                    @Override
                    public MemorySegment callState(Arena arena) {
                        return arena.allocate(Long.BYTES);
                    }

                    @Override
                    public int getCmEvent(MemorySegment call, long channel, long to) {
                        return read.get(to);
                    }

                    @Override
                    public int ackCmEvent(MemorySegment call, long event) {
                        return read.acknowledge();
                    }

                    @Override
                    public int destroyId(MemorySegment call, long address) {
                        ScriptedEvent reading = read;
                        if (reading == null || address != reading.incomingMemory.address()) {
                            return destroyed.destroy(address);
                        }
                        reading.incomingGone = true; // by the reader
                        return 0;
                    }
                };
        try {
            return new RdmacmChannel(0, -1, Epoll.create(1), calls);
        } catch (Epoll.Refused e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static RdmacmId id(Struct memory) {
        return RdmacmId.incoming(CHANNEL, memory.address());
    }

    /** As {@link RdmacmId#incoming} has written it. */
    private static long numberOf(Struct memory) {
        return memory.i64(RdmaCmId.CONTEXT);
    }

    /** The reader's step. */
    final void read() {
        read = this;
        if (CHANNEL.readAll() != -Errno.EAGAIN) {
            throw new AssertionError("the channel fails");
        }
    }

    /** The destroyer's step. */
    final void destroyId() {
        destroyed = this;
        id.destroy();
    }

    private synchronized int get(long to) {
        if (!queued) {
            return -Errno.EAGAIN;
        }
        queued = false;
        reads++;
        Struct.at(to, Long.BYTES).i64(0, event.address());
        return 0;
    }

    private synchronized int acknowledge() {
        usedFreed |= freed;
        acknowledged++;
        notifyAll();
        return 0;
    }

    private synchronized int destroy(long address) {
        if (address != idMemory.address()) {
            throw new AssertionError("another id");
        }
        if (queued) {
            queued = false;
            incomingGone = true; // by the kernel
        }
        long end = System.nanoTime() + (isKnownToBeStuck ? 0 : Patience.nanos());
        while (acknowledged < reads && System.nanoTime() < end) {
            try {
                wait(1);
            } catch (InterruptedException e) {
                throw new AssertionError("no thread interrupts it", e);
            }
        }
        stuck = acknowledged < reads;
        isKnownToBeStuck |= stuck;
        freed = true;
        idMemory.i64(RdmaCmId.CONTEXT, numberOf(otherMemory));
        return 0;
    }

    /** What has happened in the end. */
    final String outcome() {
        CHANNEL.release(numberOf(otherMemory));
        if (given) {
            CHANNEL.release(numberOf(incomingMemory));
        }
        if (stuck) {
            return "stuck";
        }
        if (usedFreed) {
            return "freed memory";
        }
        if (toldAnother) {
            return "told another";
        }
        if (!request) {
            return told ? "told" : "not told";
        }
        if (given && incomingGone) {
            return "given and gone";
        }
        return given ? "given" : incomingGone ? "gone" : "leaked";
    }
}
