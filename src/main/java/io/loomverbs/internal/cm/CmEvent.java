package io.loomverbs.internal.cm;

import org.jspecify.annotations.Nullable;

/**
 * A copy of {@code struct rdma_cm_event}.
 *
 * @param type one of {@link Cm}'s {@code EVENT_} constants
 * @param status 0; a negative errno; or, with {@code REJECTED}, the reason
 * @param privateData what the peer has sent, with the padding that the transport adds
 * @param qpNum the peer's queue pair; 0 if the event does not tell it
 * @param responderResources as the receiver's own value
 * @param initiatorDepth as the receiver's own value
 * @param srq whether the peer's queue pair takes its receives from an SRQ
 * @param incoming the id of a new connection request, else null
 * @param ud where datagrams go, if the event tells it
 */
@SuppressWarnings("ArrayRecordComponent") // a structure, which nothing compares
public record CmEvent(
        int type,
        int status,
        byte[] privateData,
        int qpNum,
        int responderResources,
        int initiatorDepth,
        boolean srq,
        @Nullable CmIdOps incoming,
        @Nullable CmUdParam ud) {
    private static final byte[] NOTHING = {};

    public static CmEvent of(int type, int status) {
        return new CmEvent(type, status, NOTHING, 0, 0, 0, false, null, null);
    }

    /** A request, a rejection or another event that carries only private data. */
    public static CmEvent of(int type, int status, byte[] privateData, @Nullable CmIdOps incoming) {
        return new CmEvent(type, status, privateData, 0, 0, 0, false, incoming, null);
    }

    /** The event that says where datagrams go. */
    public static CmEvent of(int type, byte[] privateData, CmUdParam ud) {
        return new CmEvent(type, 0, privateData, ud.qpNum(), 0, 0, false, null, ud);
    }
}
