package io.loomverbs.internal.softcm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmConnParam;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.internal.cm.CmUdParam;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** An id for datagrams: its request is answered once, and then there is no connection. */
final class SoftUdId extends SoftCmId {
    private static final int EADDRNOTAVAIL = 99;
    private static final int MULTICAST_QPN = 0xff_ffff;

    /** Guarded by the manager's lock. */
    private final Set<InetSocketAddress> groups = new HashSet<>();

    SoftUdId(SoftCm cm, @Nullable CmListener events) {
        super(cm, events, cm.udPorts);
    }

    @Override
    SoftCmId child() {
        return new SoftUdId(cm, null);
    }

    @Override
    int most(int event) {
        return event == Cm.EVENT_CONNECT_REQUEST
                ? Cm.CONNECT_UD_PRIVATE_DATA
                : Cm.ACCEPT_UD_PRIVATE_DATA;
    }

    @Override
    CmEvent told(int type, CmConnParam param, @Nullable SoftCmId child) {
        byte[] padded = Arrays.copyOf(param.privateData(), most(type));
        return CmEvent.of(type, 0, padded, child);
    }

    @Override
    CmEvent rejection(int reason, byte[] privateData) {
        int status = reason == Cm.REJ_INVALID_SERVICE_ID ? Cm.SIDR_UNSUPPORTED : Cm.SIDR_REJECT;
        byte[] padded = Arrays.copyOf(privateData, Cm.ACCEPT_UD_PRIVATE_DATA);
        return CmEvent.of(Cm.EVENT_UNREACHABLE, status, padded, null);
    }

    /** It is no error if the client has gone: the answer is then lost. */
    @Override
    public int accept(CmConnParam param) {
        return locked(
                () -> {
                    SoftCmId client = peer;
                    if (state != SoftCmState.REQUESTED
                            || !SoftQpAttrs.isValid(param, Cm.ACCEPT_UD_PRIVATE_DATA)) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    state = SoftCmState.OVER;
                    mine = param;
                    peer = null;
                    if (client == null) {
                        return Raised.NOTHING;
                    }
                    client.peer = null;
                    if (isCutOffFrom(client)) { // it goes on waiting
                        return Raised.NOTHING;
                    }
                    client.state = SoftCmState.OVER;
                    CmUdParam ud =
                            new CmUdParam(
                                    SoftQpAttrs.address(cm.guid()), param.qpNum(), Cm.UDP_QKEY);
                    byte[] padded = Arrays.copyOf(param.privateData(), Cm.ACCEPT_UD_PRIVATE_DATA);
                    return raise(client, CmEvent.of(Cm.EVENT_ESTABLISHED, padded, ud));
                });
    }

    @Override
    int fill(QpAttr attr) {
        return attr.qpState == Ibv.QPS_INIT ? SoftQpAttrs.initUd(attr) : -Errno.EINVAL;
    }

    @Override
    public int joinMulticast(InetSocketAddress group) {
        return locked(
                () -> {
                    if ((state != SoftCmState.BOUND && state != SoftCmState.ADDR_RESOLVED)
                            || !group.getAddress().isMulticastAddress()) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    groups.add(group);
                    CmUdParam ud =
                            new CmUdParam(
                                    SoftQpAttrs.address(group.getAddress()),
                                    MULTICAST_QPN,
                                    Cm.UDP_QKEY);
                    return raise(this, CmEvent.of(Cm.EVENT_MULTICAST_JOIN, new byte[0], ud));
                });
    }

    @Override
    public int leaveMulticast(InetSocketAddress group) {
        return locked(() -> groups.remove(group) ? Raised.NOTHING : Raised.refused(EADDRNOTAVAIL));
    }
}
