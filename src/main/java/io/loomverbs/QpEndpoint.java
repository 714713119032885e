package io.loomverbs;

import org.jspecify.annotations.Nullable;

/**
 * What a peer must know to reach a queue pair; programs exchange it over some other connection.
 *
 * @param qpNum the queue pair's number, 24 bits
 * @param psn the first packet sequence number that it sends, 24 bits
 * @param lid the local identifier of its port; 0 on Ethernet
 * @param gid the GID of its port, or null to address it by LID only
 */
public record QpEndpoint(int qpNum, int psn, int lid, @Nullable Gid gid) {
    private static final int BITS_24 = 0xffffff;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a component is out of the range given above
     */
    public QpEndpoint {
        Arguments.inRange("qpNum", qpNum, 0, BITS_24, "24 bits");
        Arguments.inRange("psn", psn, 0, BITS_24, "24 bits");
        Arguments.inRange("lid", lid, 0, 0xffff, "16 bits");
    }
}
