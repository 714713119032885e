package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmUdParam;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaCmEvent;
import io.loomverbs.internal.ffi.RdmacmLayouts.RdmaCmId;
import io.loomverbs.internal.ffi.Struct;
import io.loomverbs.internal.ibverbs.QpAttrs;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads the events of a channel, on the one thread that does so: read, copy, acknowledge, raise.
 */
final class EventReader {
    private static final byte[] NOTHING = {};

    /** How often a listener is called for an event if it ends with an Error. */
    private static final int MOST_TRIES = 1000;

    private final RdmacmChannel channel;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment call;
    private final Struct slot = Struct.allocate(arena, Long.BYTES);

    /** How often the event that was read last is still to be tried; 0 if it was raised. */
    private int triesLeft;

    /** How many events it has read; it wraps around. */
    private int events;

    // The event that was read last.
    private long number;
    private CmEvent copy = LostEvents.of(0); // its class is loaded before memory runs out

    /** The id of a new request that nothing owns yet; 0 if there is none. */
    private long orphan;

    EventReader(RdmacmChannel channel) {
        this.channel = channel;
        this.call = channel.calls.callState(arena);
    }

    /** Whether an event is left that an Error kept from being raised: the next call does it. */
    boolean hasTaken() {
        return triesLeft > 0;
    }

    int events() {
        return events;
    }

    /** Reads until there is no event: {@code -EAGAIN}, or why the channel has failed. */
    int readAll() {
        while (true) {
            if (triesLeft > 0) {
                triesLeft--;
                channel.raise(number, copy);
                triesLeft = 0;
                copy = LostEvents.of(0); // keeps nothing
            }
            int rc = channel.calls.getCmEvent(call, channel.address(), slot.address());
            if (rc != 0) {
                return rc;
            }
            take(slot.i64(0));
        }
    }

    private void take(long event) {
        events++;
        number = 0;
        orphan = 0;
        copy = LostEvents.of(Cm.LOST_EVENT);
        triesLeft = MOST_TRIES;
        tryCopy(event);
        acknowledge(event);
    }

    private void tryCopy(long event) {
        try {
            copy(event);
        } catch (RuntimeException | Error e) {
            // It is lost.
        }
    }

    private void acknowledge(long event) {
        int ignored = channel.calls.ackCmEvent(call, event); // it always succeeds
        if (orphan != 0) {
            ignored = channel.calls.destroyId(call, orphan);
        }
    }

    private void copy(long event) {
        // First, without an object: its id, and what would be left of the event.
        int type = Struct.i32At(event + RdmaCmEvent.EVENT);
        copy = LostEvents.of(type);
        long id = Struct.i64At(event + RdmaCmEvent.ID);
        boolean request = type == Cm.EVENT_CONNECT_REQUEST;
        orphan = request ? id : 0;
        long owner = request ? Struct.i64At(event + RdmaCmEvent.LISTEN_ID) : id;
        number = Struct.i64At(owner + RdmaCmId.CONTEXT);
        int ps = Struct.i32At(owner + RdmaCmId.PS);
        Struct struct = Struct.at(event, RdmaCmEvent.BYTES);
        RdmacmId incoming = request ? RdmacmId.incoming(channel, id) : null;
        orphan = 0;
        boolean done = false;
        try {
            copy = copy(struct, type, ps == Cm.PS_UDP, incoming);
            done = true;
        } finally {
            if (!done && incoming != null) {
                incoming.destroy();
            }
        }
    }

    private static CmEvent copy(
            Struct from, int type, boolean ofDatagrams, @Nullable RdmacmId incoming) {
        int status = from.i32(RdmaCmEvent.STATUS);
        if (type == Cm.EVENT_MULTICAST_JOIN && status == 0) {
            return CmEvent.of(type, NOTHING, ud(from)); // its private data is the program's pointer
        }
        if (!hasParameters(type, ofDatagrams)) {
            return CmEvent.of(type, status);
        }
        byte[] data = privateData(from);
        if (ofDatagrams) {
            return type == Cm.EVENT_ESTABLISHED
                    ? CmEvent.of(type, data, ud(from))
                    : CmEvent.of(type, status, data, incoming);
        }
        return new CmEvent(
                type,
                status,
                data,
                from.i32(RdmaCmEvent.PARAM__CONN__QP_NUM),
                from.u8(RdmaCmEvent.PARAM__CONN__RESPONDER_RESOURCES),
                from.u8(RdmaCmEvent.PARAM__CONN__INITIATOR_DEPTH),
                from.u8(RdmaCmEvent.PARAM__CONN__SRQ) != 0,
                incoming,
                null);
    }

    /** At the same place in both kinds of parameters. */
    private static byte[] privateData(Struct from) {
        long data = from.i64(RdmaCmEvent.PARAM__CONN__PRIVATE_DATA);
        int length = from.u8(RdmaCmEvent.PARAM__CONN__PRIVATE_DATA_LEN);
        return data == 0 || length == 0 ? NOTHING : Struct.at(data, length).bytes(0, length);
    }

    private static CmUdParam ud(Struct from) {
        return new CmUdParam(
                QpAttrs.readAh(from, RdmaCmEvent.PARAM__UD__AH_ATTR),
                from.i32(RdmaCmEvent.PARAM__UD__QP_NUM),
                from.i32(RdmaCmEvent.PARAM__UD__QKEY));
    }

    /** Of the others librdmacm says nothing about these fields. */
    private static boolean hasParameters(int type, boolean ofDatagrams) {
        return (ofDatagrams && type == Cm.EVENT_UNREACHABLE)
                || type == Cm.EVENT_CONNECT_REQUEST
                || type == Cm.EVENT_CONNECT_RESPONSE
                || type == Cm.EVENT_REJECTED
                || type == Cm.EVENT_ESTABLISHED;
    }
}
