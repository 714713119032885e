package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;

/** A queue pair of the embedded device, with a CQ for sends and one for receives. */
final class RaceQp {
    private static final SoftDevice DEVICE = new SoftDevice(SoftLimits.GENEROUS);
    static final SoftContext CONTEXT = new SoftContext(DEVICE, (type, port) -> {});
    static final SoftPd PD = new SoftPd(CONTEXT);
    private static final QpInit INIT = new QpInit(Ibv.QPT_RC, new QpCap(4, 4, 1, 1, 0), false);
    static final CqListener DEAF = SoftFixture.told(() -> {});

    final SoftCq sends;
    final SoftCq receives;
    final SoftQp qp;
    private final QpAttr attr = SoftFixture.defaults();

    RaceQp() {
        this(CONTEXT, PD, DEAF, DEAF, null);
    }

    /** Tells {@code sent} and {@code received} of its CQs; null if it shares no receives. */
    RaceQp(SoftContext context, SoftPd pd, CqListener sent, CqListener received, SoftSrq srq) {
        sends = new SoftCq(context, 4, null, sent);
        receives = new SoftCq(context, 4, null, received);
        qp = (SoftQp) pd.createQp(INIT, sends, receives, srq, type -> {});
        attr.minRnrTimer = 0; // the longest: 655 ms, which no thread waits for
        attr.timeout = 0;
        attr.retryCnt = 7;
        modify(Ibv.QPS_INIT, SoftFixture.INIT_RC);
    }

    void connect(RaceQp peer) {
        if (qp.state() == Ibv.QPS_RESET) {
            modify(Ibv.QPS_INIT, SoftFixture.INIT_RC);
        }
        attr.destQpNum = peer.qp.qpNum();
        modify(Ibv.QPS_RTR, SoftFixture.RTR_RC);
        modify(Ibv.QPS_RTS, SoftFixture.RTS_RC);
    }

    /** To RESET, from where it can be connected again. */
    void reset() {
        modify(Ibv.QPS_RESET, Ibv.QP_STATE);
    }

    void fail() {
        modify(Ibv.QPS_ERR, Ibv.QP_STATE);
    }

    private void modify(int state, int mask) {
        attr.qpState = state;
        if (qp.modify(attr, mask) != 0) {
            throw new AssertionError("refused: state " + state);
        }
    }

    boolean send(SendWr wr) {
        return qp.postSend(wr) == PostResult.OK;
    }

    boolean receive(RecvWr wr) {
        return qp.postRecv(wr) == PostResult.OK;
    }

    /** Lets go of everything that is still there. */
    void end() {
        qp.destroy();
        sends.destroy();
        receives.destroy();
    }

    /** A signalled SEND of nothing. For one thread at a time, as all requests. */
    static SendWr sendOfNothing(long wrId) {
        SendWr wr = new SendWr(1, 0);
        wr.wrId(wrId);
        wr.opcode(Ibv.WR_SEND);
        wr.sendFlags(Ibv.SEND_SIGNALED);
        return wr;
    }

    static RecvWr receiveOfNothing(long wrId) {
        RecvWr wr = new RecvWr(1);
        wr.wrId(wrId);
        return wr;
    }
}
