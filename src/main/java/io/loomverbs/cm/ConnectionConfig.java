package io.loomverbs.cm;

import io.loomverbs.QueuePair;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmConnParam;

/**
 * The parameters of one side when it connects or accepts ({@code struct rdma_conn_param}). Start
 * with {@link #defaults()}; each {@code with} method gives a changed copy.
 *
 * @since 0.1.0
 */
public final class ConnectionConfig {
    /** As responder resources or initiator depth: as many as the device can do. */
    public static final int DEVICE_MAXIMUM = Cm.MAX_RESP_RES;

    private static final int MANAGERS_OWN = -1;
    private static final int MAX_RETRIES = 7;
    private static final int MAX_TIMER = 31;
    private static final int MIN_RNR_TIMER_640_US = 12;
    private static final ConnectionConfig DEFAULTS = new ConnectionConfig(new Values());

    private final byte[] privateData;
    private final int responderResources;
    private final int initiatorDepth;
    private final int retryCount;
    private final int rnrRetryCount;
    private final int ackTimeout;
    private final int minRnrTimer;

    private ConnectionConfig(Values values) {
        privateData = values.privateData;
        responderResources = values.responderResources;
        initiatorDepth = values.initiatorDepth;
        retryCount = values.retryCount;
        rnrRetryCount = values.rnrRetryCount;
        ackTimeout = values.ackTimeout;
        minRnrTimer = values.minRnrTimer;
    }

    /**
     * No private data, as many READs and atomics at once as both devices can do, a retry count of
     * 7, unlimited RNR retries after 0.64 ms each, and the connection manager's timeout for
     * acknowledgements.
     *
     * @return the configuration
     */
    public static ConnectionConfig defaults() {
        return DEFAULTS;
    }

    /**
     * Changes the private data that the peer gets with the request or the answer. A request carries
     * 56 bytes, an answer 196. The peer sees the data padded with zeros to that size, so the data
     * must contain its own length.
     *
     * @param data what to send; copied
     * @return a changed copy
     * @throws IllegalArgumentException if there are more than 196 bytes
     */
    public ConnectionConfig withPrivateData(byte[] data) {
        Checks.privateData("data", data, Cm.ACCEPT_PRIVATE_DATA, "an answer");
        Values changed = new Values(this);
        changed.privateData = data.clone();
        return new ConnectionConfig(changed);
    }

    /**
     * Changes how many READs and atomics of the peer are served at once ({@code
     * responder_resources}).
     *
     * @param most 0 to 254, or {@link #DEVICE_MAXIMUM}. More than the device has is refused when
     *     this side connects or accepts
     * @return a changed copy
     * @throws IllegalArgumentException if it is out of that range
     */
    public ConnectionConfig withResponderResources(int most) {
        Checks.inRange("most", most, 0, DEVICE_MAXIMUM, "responder_resources has 8 bits");
        Values changed = new Values(this);
        changed.responderResources = most;
        return new ConnectionConfig(changed);
    }

    /**
     * Changes how many READs and atomics may be under way to the peer at once ({@code
     * initiator_depth}).
     *
     * @param most 0 to 254, or {@link #DEVICE_MAXIMUM}. More than the device has is refused when
     *     this side connects or accepts
     * @return a changed copy
     * @throws IllegalArgumentException if it is out of that range
     */
    public ConnectionConfig withInitiatorDepth(int most) {
        Checks.inRange("most", most, 0, DEVICE_MAXIMUM, "initiator_depth has 8 bits");
        Values changed = new Values(this);
        changed.initiatorDepth = most;
        return new ConnectionConfig(changed);
    }

    /**
     * Changes how often this side resends a message that the peer does not acknowledge ({@code
     * retry_count}). The client's value counts for both sides; {@code rdma_accept} ignores it.
     *
     * @param retries 0 to 7
     * @return a changed copy
     * @throws IllegalArgumentException if it is out of that range
     */
    public ConnectionConfig withRetryCount(int retries) {
        Checks.inRange("retries", retries, 0, MAX_RETRIES, "3 bits");
        Values changed = new Values(this);
        changed.retryCount = retries;
        return new ConnectionConfig(changed);
    }

    /**
     * Changes how often the peer resends a message for which this side has no receive posted
     * ({@code rnr_retry_count}). Each side's value counts for the other's queue pair: the server's
     * for what the client sends, and the reverse.
     *
     * @param retries 0 to 7; 7 is unlimited
     * @return a changed copy
     * @throws IllegalArgumentException if it is out of that range
     */
    public ConnectionConfig withRnrRetryCount(int retries) {
        Checks.inRange("retries", retries, 0, MAX_RETRIES, "3 bits; 7 is unlimited");
        Values changed = new Values(this);
        changed.rnrRetryCount = retries;
        return new ConnectionConfig(changed);
    }

    /**
     * Changes how long this side waits for an acknowledgement before it resends a message ({@code
     * RDMA_OPTION_ID_ACK_TIMEOUT}). On RoCE the connection manager's own value is 19, 2.1 seconds.
     *
     * @param exponent 4.096 us times 2 to this power, 0 to 31; 0 waits indefinitely
     * @return a changed copy
     * @throws IllegalArgumentException if it is out of that range
     */
    public ConnectionConfig withAckTimeout(int exponent) {
        Checks.inRange("exponent", exponent, 0, MAX_TIMER, "5 bits");
        Values changed = new Values(this);
        changed.ackTimeout = exponent;
        return new ConnectionConfig(changed);
    }

    /**
     * Changes how long the peer waits before it resends a message for which this side has no
     * receive posted ({@code min_rnr_timer}). The default is 12, 0.64 ms. In rdma_cm it is 0, the
     * longest time, and cannot be changed; loomverbs sets it in the queue pair ({@code
     * IBV_QP_MIN_RNR_TIMER}).
     *
     * @param code 0 to 31, as {@link io.loomverbs.QpAttributes.Builder#minRnrTimer}: 1 is 10 us, 31
     *     is 491.52 ms, and 0 is 655.36 ms
     * @return a changed copy
     * @throws IllegalArgumentException if it is out of that range
     */
    public ConnectionConfig withMinRnrTimer(int code) {
        Checks.inRange("code", code, 0, MAX_TIMER, "5 bits");
        Values changed = new Values(this);
        changed.minRnrTimer = code;
        return new ConnectionConfig(changed);
    }

    /** The exponent, or -1 for the manager's own. */
    int ackTimeout() {
        return ackTimeout;
    }

    int minRnrTimer() {
        return minRnrTimer;
    }

    int responderResources() {
        return responderResources;
    }

    int initiatorDepth() {
        return initiatorDepth;
    }

    /** Checked by the caller, which knows what it is for. */
    void checkPrivateData(int most, String where) {
        Checks.privateData("config's private data", privateData, most, where);
    }

    /** For a queue pair that is to be connected. */
    CmConnParam of(QueuePair qp) {
        return of(qp.qpNum(), qp.srq() != null);
    }

    /** For datagrams: the peer gets the number, if any, and nothing else. */
    CmConnParam ofDatagrams(int qpNum) {
        return of(qpNum, false);
    }

    private CmConnParam of(int qpNum, boolean srq) {
        return new CmConnParam(
                privateData,
                responderResources,
                initiatorDepth,
                retryCount,
                rnrRetryCount,
                srq,
                qpNum);
    }

    /** Its values, for messages. */
    @Override
    public String toString() {
        return "privateData "
                + privateData.length
                + " bytes, responderResources "
                + responderResources
                + ", initiatorDepth "
                + initiatorDepth
                + ", retryCount "
                + retryCount
                + ", rnrRetryCount "
                + rnrRetryCount
                + (ackTimeout == MANAGERS_OWN ? "" : ", ackTimeout " + ackTimeout)
                + ", minRnrTimer "
                + minRnrTimer;
    }

    /** The values of a configuration, at first the defaults or another's. */
    private static final class Values {
        private byte[] privateData = {};
        private int responderResources = DEVICE_MAXIMUM;
        private int initiatorDepth = DEVICE_MAXIMUM;
        private int retryCount = MAX_RETRIES;
        private int rnrRetryCount = MAX_RETRIES;
        private int ackTimeout = MANAGERS_OWN;
        private int minRnrTimer = MIN_RNR_TIMER_640_US;

        Values() {}

        Values(ConnectionConfig of) {
            privateData = of.privateData;
            responderResources = of.responderResources;
            initiatorDepth = of.initiatorDepth;
            retryCount = of.retryCount;
            rnrRetryCount = of.rnrRetryCount;
            ackTimeout = of.ackTimeout;
            minRnrTimer = of.minRnrTimer;
        }
    }
}
