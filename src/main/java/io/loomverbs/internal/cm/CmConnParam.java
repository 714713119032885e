package io.loomverbs.internal.cm;

/**
 * {@code struct rdma_conn_param}, for a queue pair that the manager does not know.
 *
 * @param responderResources 255 for what the device can do
 * @param initiatorDepth 255 for what the device can do
 * @param srq whether the queue pair takes its receives from an SRQ
 */
@SuppressWarnings("ArrayRecordComponent") // a structure, which nothing compares
public record CmConnParam(
        byte[] privateData,
        int responderResources,
        int initiatorDepth,
        int retryCount,
        int rnrRetryCount,
        boolean srq,
        int qpNum) {}
