package io.loomverbs.internal.softcm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmConnParam;
import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * The attributes that the manager of an embedded device has for each step of a queue pair. A server
 * asks for them before it has set its own parameters; then the client's count.
 */
final class SoftQpAttrs {
    static final int PORT = 1;

    /** As {@code QueuePair.connect}: 67 ms. */
    static final int TIMEOUT = 14;

    private static final int MTU_4096 = 5;
    private static final int HOP_LIMIT = 64;

    /** Of the one port of the fabric. */
    private static final int LID = 1;

    /** Groups are found by their GIDs alone. */
    private static final int NO_LID = 0;

    private static final long GID_HIGH = 0xfe80_0000_0000_0000L;
    private static final int MAX_RD_ATOMIC = 128;

    /** Before an address of IPv4 in a GID. */
    private static final long IPV4_MARK = 0xffff_0000_0000L;

    private static final int INIT =
            Ibv.QP_STATE | Ibv.QP_PKEY_INDEX | Ibv.QP_PORT | Ibv.QP_ACCESS_FLAGS;
    private static final int RTR =
            Ibv.QP_STATE
                    | Ibv.QP_AV
                    | Ibv.QP_PATH_MTU
                    | Ibv.QP_DEST_QPN
                    | Ibv.QP_RQ_PSN
                    | Ibv.QP_MAX_DEST_RD_ATOMIC
                    | Ibv.QP_MIN_RNR_TIMER;
    private static final int RTS =
            Ibv.QP_STATE
                    | Ibv.QP_SQ_PSN
                    | Ibv.QP_TIMEOUT
                    | Ibv.QP_RETRY_CNT
                    | Ibv.QP_RNR_RETRY
                    | Ibv.QP_MAX_QP_RD_ATOMIC;

    private SoftQpAttrs() {}

    /** Whether a device has the requested depth. */
    static boolean hasDepth(int depth) {
        return depth <= MAX_RD_ATOMIC || depth == Cm.MAX_RESP_RES;
    }

    /** Whether a side may ask for this, with at most {@code most} bytes of private data. */
    static boolean isValid(CmConnParam param, int most) {
        return param.privateData().length <= most
                && hasDepth(param.responderResources())
                && hasDepth(param.initiatorDepth());
    }

    /** The depth that a device grants. */
    static int granted(int depth) {
        return depth == Cm.MAX_RESP_RES ? MAX_RD_ATOMIC : depth;
    }

    /** The address of the device. */
    static AhAttr address(long guid) {
        return ah(GID_HIGH, guid, LID);
    }

    /** The address of a group: as RoCE has it. */
    static AhAttr address(InetAddress group) {
        byte[] bytes = group.getAddress();
        ByteBuffer gid = ByteBuffer.wrap(bytes);
        return bytes.length == Integer.BYTES
                ? ah(0, IPV4_MARK | Integer.toUnsignedLong(gid.getInt()), NO_LID)
                : ah(gid.getLong(), gid.getLong(), NO_LID);
    }

    private static AhAttr ah(long high, long low, int lid) {
        return new AhAttr(high, low, true, 0, HOP_LIMIT, 0, 0, lid, 0, PORT);
    }

    /** For datagrams. */
    static int initUd(QpAttr attr) {
        attr.portNum = PORT;
        attr.qkey = Cm.UDP_QKEY;
        return Ibv.QP_STATE | Ibv.QP_PKEY_INDEX | Ibv.QP_PORT | Ibv.QP_QKEY;
    }

    static int init(QpAttr attr) {
        attr.portNum = PORT;
        return INIT;
    }

    static int rtr(
            QpAttr attr, long guid, @Nullable CmConnParam own, CmConnParam theirs, int theirPsn) {
        attr.av = address(guid);
        attr.pathMtu = MTU_4096;
        attr.destQpNum = theirs.qpNum();
        attr.rqPsn = theirPsn;
        int asked = granted(theirs.initiatorDepth());
        attr.maxDestRdAtomic =
                own == null ? asked : Math.min(asked, granted(own.responderResources()));
        return RTR;
    }

    static int rts(
            QpAttr attr, int ackTimeout, @Nullable CmConnParam own, CmConnParam theirs, int psn) {
        attr.sqPsn = psn;
        attr.timeout = ackTimeout;
        attr.retryCnt = (own == null ? theirs : own).retryCount(); // the client's, at both
        attr.rnrRetry = theirs.rnrRetryCount();
        int served = granted(theirs.responderResources());
        attr.maxRdAtomic = own == null ? served : Math.min(served, granted(own.initiatorDepth()));
        return RTS;
    }
}
