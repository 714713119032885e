package io.loomverbs.tools;

import io.loomverbs.AhAttributes;
import io.loomverbs.Gid;
import io.loomverbs.Mtu;
import io.loomverbs.QpType;
import io.loomverbs.WaitStrategy;

import org.jspecify.annotations.Nullable;

/**
 * The parameters of a ping-pong.
 *
 * @param events whether to wait with {@code getCqEvent}
 * @param strategy how {@code await} waits; null to poll in a loop, or with {@code events}
 * @param gidIndex which GID of the port to use, or -1 to be addressed by LID alone
 * @param check whether to validate every payload
 * @param percentiles whether to time every round trip, which takes a clock reading for each
 */
record PingpongPlan(
        QpType type,
        int size,
        int iters,
        int rxDepth,
        boolean events,
        @Nullable WaitStrategy strategy,
        boolean check,
        boolean percentiles,
        int ibPort,
        Mtu mtu,
        int gidIndex,
        int sl) {
    private static final int UD_HOP_LIMIT = 64;

    PingpongPlan withIters(int count) {
        return new PingpongPlan(
                type,
                size,
                count,
                rxDepth,
                events,
                strategy,
                check,
                percentiles,
                ibPort,
                mtu,
                gidIndex,
                sl);
    }

    /** The way to a peer: by its GID, if it has one, as the C programs do. */
    AhAttributes addressOf(PingpongPeer peer) {
        Gid gid = peer.gid();
        if (gid == null || gid.interfaceId() == 0) {
            return new AhAttributes(ibPort, peer.lid(), sl, null, 0, 0, 0, 0);
        }
        if (gidIndex < 0) {
            throw new IllegalStateException(
                    "the peer is reached by its GID, " + gid + ": name one of ours with --gid-idx");
        }
        int hops = type == QpType.UD ? UD_HOP_LIMIT : 1;
        return new AhAttributes(ibPort, peer.lid(), sl, gid, gidIndex, hops, 0, 0);
    }
}
