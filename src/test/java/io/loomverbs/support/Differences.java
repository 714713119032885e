package io.loomverbs.support;

import io.loomverbs.WcStatus;

/**
 * Where devices differ from each other, and are allowed to: what the contract asks of the device
 * that the tests run on. The table in docs/testing.md says why.
 */
public final class Differences {
    private static final boolean SOFT_ROCE = Fixture.DEVICE.startsWith("rxe");
    private static final boolean STRICT = Fixture.DEVICE.equals("strict0");
    public static final boolean EMBEDDED = STRICT || Fixture.DEVICE.equals("soft0");

    private Differences() {}

    /** What a request ends with whose local key names no region. */
    public static WcStatus unknownLocalKey() {
        return SOFT_ROCE ? WcStatus.LOC_QP_OP_ERR : WcStatus.LOC_PROT_ERR;
    }

    /** What a sender is told whose message does not fit into the peer's buffer. */
    public static WcStatus messageTooLong() {
        return SOFT_ROCE ? WcStatus.REM_OP_ERR : WcStatus.REM_INV_REQ_ERR;
    }

    /** What a receive request ends with that is too short for its message. */
    public static WcStatus receiveTooShort() {
        return SOFT_ROCE ? WcStatus.LOC_QP_OP_ERR : WcStatus.LOC_LEN_ERR;
    }

    /** The error of a device that has no more objects of a kind. */
    public static String exhausted() {
        return SOFT_ROCE ? "EINVAL" : "ENOMEM";
    }

    /** Whether the completion of a send that has failed fires an arm for solicited ones. */
    public static boolean failedSendsAreSolicited() {
        return !SOFT_ROCE;
    }

    /**
     * What receiving an event allocates: the event; and where a thread has to fetch it from the
     * kernel, what that takes, 120 bytes as measured.
     */
    public static int bytesOfEvent() {
        return EMBEDDED ? 32 : 152;
    }

    /** Whether a peer that uses a window is kept to it, not only to the region around it. */
    public static boolean windowsHaveBounds() {
        return !SOFT_ROCE;
    }

    /** Whether a receive request that is posted in the error state is flushed at once. */
    public static boolean flushesLateReceives() {
        return !SOFT_ROCE;
    }

    /**
     * Whether multicast messages come back to queue pairs of the port that sends them, though the
     * group was not joined through the connection manager.
     */
    public static boolean loopsMulticastBack() {
        return EMBEDDED;
    }

    /** Whether regions need not be pinned. */
    public static boolean pagesOnDemand() {
        return EMBEDDED && !STRICT;
    }

    /** Whether a registration can be changed. */
    public static boolean changesRegions() {
        return !SOFT_ROCE;
    }

    /** Whether completions have the time when the work was done. */
    public static boolean stampsCompletions() {
        return !SOFT_ROCE;
    }

    /** Whether the events of a CQ can be delayed. */
    public static boolean moderates() {
        return !SOFT_ROCE;
    }

    /** Whether a queue pair with a shared receive queue tells of its last request. */
    public static boolean tellsOfTheLastRequest() {
        return !SOFT_ROCE;
    }

    /** Whether a queue is full at the very number of requests that was granted. */
    public static boolean queuesAreExact() {
        return !SOFT_ROCE;
    }

    /** Whether a change is refused that names another state than the queue pair is in. */
    public static boolean knowsItsState() {
        return !SOFT_ROCE;
    }

    /** Whether an address is looked up when a queue pair is connected, as on Ethernet. */
    public static boolean asksTheNetworkForAddresses() {
        return SOFT_ROCE;
    }

    /** Whether a first message that is taken for a repetition is acknowledged. */
    public static boolean acknowledgesWhatIsBehind() {
        return !SOFT_ROCE;
    }

    /** Whether a receiver looks at the size of packets. */
    public static boolean checksPacketSizes() {
        return !SOFT_ROCE;
    }

    /** Whether more READs under way than the peer serves are refused, rather than served later. */
    public static boolean refusesTooManyReads() {
        return STRICT;
    }

    /** What a message may allocate: a strict device hands each to a thread of its own. */
    public static int bytesOfMessage() {
        return STRICT ? 1000 : 0;
    }

    /** Whether completions stay that were not polled when their queue pair was closed. */
    public static boolean completionsOutliveTheirQueuePair() {
        return !STRICT;
    }

    /** Whether a place in a send queue is free only when a completion was polled. */
    public static boolean placesAreFreedByPolling() {
        return !Fixture.DEVICE.equals("soft0");
    }

    /** Whether a message completes for its sender even if it overruns the receiver's CQ. */
    public static boolean sendersSurviveOverruns() {
        return EMBEDDED;
    }
}
