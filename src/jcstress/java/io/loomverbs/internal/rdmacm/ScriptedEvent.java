package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.ffi.Epoll;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaCmEvent;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaCmId;
import io.loomverbs.internal.ffi.Struct;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

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

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
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

    ScriptedEvent(int type, boolean request) {
        event.i32(RdmaCmEvent.EVENT, type);
        event.i64(RdmaCmEvent.ID, request ? incomingMemory.address() : idMemory.address());
        event.i64(RdmaCmEvent.LISTEN_ID, request ? idMemory.address() : 0);
        id.listener(
                e -> {
                    told = true;
                    if (e.incoming() != null) {
                        given = true;
                    }
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
                        return reading != null && reading.isIncoming(address) // by the reader
                                ? reading.destroyIncoming()
                                : destroyed.destroy(address);
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

    private boolean isIncoming(long address) {
        return address == incomingMemory.address();
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

    private int get(long to) {
        lock.lock();
        try {
            if (!queued) {
                return -Errno.EAGAIN;
            }
            queued = false;
            reads++;
            Struct.at(to, Long.BYTES).i64(0, event.address());
            return 0;
        } finally {
            lock.unlock();
        }
    }

    private int acknowledge() {
        lock.lock();
        try {
            usedFreed |= freed;
            acknowledged++;
            changed.signalAll();
            return 0;
        } finally {
            lock.unlock();
        }
    }

    private int destroyIncoming() {
        incomingGone = true;
        return 0;
    }

    private int destroy(long address) {
        lock.lock();
        try {
            if (address != idMemory.address()) {
                throw new AssertionError("another id");
            }
            if (queued) {
                queued = false;
                incomingGone = true; // by the kernel
            }
            long left = isKnownToBeStuck ? 0 : Patience.nanos();
            while (acknowledged < reads && left > 0) {
                left = changed.awaitNanos(left);
            }
            stuck = acknowledged < reads;
            isKnownToBeStuck |= stuck;
            freed = true;
            idMemory.i64(RdmaCmId.CONTEXT, numberOf(otherMemory));
            return 0;
        } catch (InterruptedException e) {
            throw new AssertionError("no thread interrupts it", e);
        } finally {
            lock.unlock();
        }
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
        return told ? "told" : "not told";
    }

    /** The same of the id of a request. */
    final String incomingOutcome() {
        String outcome = outcome();
        if (!outcome.endsWith("told")) {
            return outcome;
        }
        if (given && incomingGone) {
            return "given and gone";
        }
        return given ? "given" : incomingGone ? "gone" : "leaked";
    }
}
