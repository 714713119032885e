package io.loomverbs.internal.softcm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmConnParam;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.QpAttr;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * An id of an embedded device. All states change under the lock of the manager; events are raised
 * after it is released, by the thread that causes them. So two events of one id may be raised by
 * two threads at once, and arrive in either order.
 */
class SoftCmId implements CmIdOps {
    private static final int PSN_BOUND = 1 << 24;

    private static final int EISCONN = 106;

    final SoftCm cm;
    private final SoftPorts ports;
    private final int psn = ThreadLocalRandom.current().nextInt(PSN_BOUND);

    // All below are guarded by the manager's lock.
    private @Nullable CmListener events;
    SoftCmState state = SoftCmState.IDLE;
    private @Nullable InetSocketAddress bound;
    private @Nullable InetSocketAddress local;
    private @Nullable InetSocketAddress remote;
    @Nullable SoftCmId peer;

    private int ackTimeout = SoftQpAttrs.TIMEOUT;

    /** The parameters of this side, from connect or accept. */
    @Nullable CmConnParam mine;

    SoftCmId(SoftCm cm, @Nullable CmListener events) {
        this(cm, events, cm.ports);
    }

    SoftCmId(SoftCm cm, @Nullable CmListener events, SoftPorts ports) {
        this.cm = cm;
        this.events = events;
        this.ports = ports;
    }

    /** Whether nothing passes between the two: the port of one of them is down. */
    boolean isCutOffFrom(SoftCmId other) {
        return cm.isCutOff(mine) || cm.isCutOff(other.mine);
    }

    Raised raise(SoftCmId to, CmEvent event) {
        return new Raised(0, to.events, event);
    }

    Raised raise(SoftCmId to, int type, int status) {
        return raise(to, CmEvent.of(type, status));
    }

    int locked(Supplier<Raised> step) {
        Raised raised;
        cm.lock.lock();
        try {
            raised = step.get();
        } finally {
            cm.lock.unlock();
        }
        if (raised.to() != null && raised.event() != null) {
            raised.to().event(raised.event());
        }
        return raised.result();
    }

    <T> T read(Supplier<T> step) {
        cm.lock.lock();
        try {
            return step.get();
        } finally {
            cm.lock.unlock();
        }
    }

    @Override
    public void listener(CmListener to) {
        cm.lock.lock();
        try {
            events = to;
        } finally {
            cm.lock.unlock();
        }
    }

    @Override
    public int bindAddr(InetSocketAddress address) {
        return locked(
                () -> {
                    if (state != SoftCmState.IDLE) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    InetSocketAddress taken = ports.bind(address, this);
                    if (taken == null) {
                        return Raised.refused(ports.problem(address));
                    }
                    local = taken;
                    bound = taken;
                    state = SoftCmState.BOUND;
                    return Raised.NOTHING;
                });
    }

    /** The backlog is the caller's: a request is raised at once, so none waits here. */
    @Override
    public int listen(int backlog) {
        return locked(
                () -> {
                    if (state != SoftCmState.BOUND) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    state = SoftCmState.LISTENING;
                    return Raised.NOTHING;
                });
    }

    @Override
    public int resolveAddr(@Nullable InetSocketAddress own, InetSocketAddress to, int timeoutMs) {
        if (own != null) {
            int rc = bindAddr(own);
            if (rc != 0) {
                return rc;
            }
        }
        return locked(
                () -> {
                    if (state != SoftCmState.IDLE && state != SoftCmState.BOUND) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    int problem = SoftCm.problem(to);
                    if (problem != 0) {
                        return Raised.refused(-problem);
                    }
                    InetAddress host =
                            to.getAddress().isAnyLocalAddress()
                                    ? InetAddress.getLoopbackAddress()
                                    : to.getAddress();
                    remote = new InetSocketAddress(host, to.getPort());
                    InetSocketAddress from = local;
                    if (from == null) {
                        local = new InetSocketAddress(host, ports.ephemeral());
                    } else if (from.getAddress().isAnyLocalAddress()) {
                        local = new InetSocketAddress(host, from.getPort());
                    }
                    state = SoftCmState.ADDR_RESOLVED;
                    return raise(this, Cm.EVENT_ADDR_RESOLVED, 0);
                });
    }

    @Override
    public int resolveRoute(int timeoutMs) {
        return locked(
                () -> {
                    if (state != SoftCmState.ADDR_RESOLVED) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    state = SoftCmState.ROUTE_RESOLVED;
                    return raise(this, Cm.EVENT_ROUTE_RESOLVED, 0);
                });
    }

    @Override
    public int setAckTimeout(int exponent) {
        return locked(
                () -> {
                    ackTimeout = exponent;
                    return Raised.NOTHING;
                });
    }

    @Override
    public int connect(CmConnParam param) {
        return locked(
                () -> {
                    InetSocketAddress to = remote;
                    if (state != SoftCmState.ROUTE_RESOLVED
                            || to == null
                            || !SoftQpAttrs.isValid(param, most(Cm.EVENT_CONNECT_REQUEST))) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    if (cm.isCutOff(param)) { // no server sees the request
                        mine = param;
                        state = SoftCmState.CONNECTING;
                        return Raised.NOTHING;
                    }
                    SoftCmId listener = ports.boundTo(to);
                    if (listener == null || listener.state != SoftCmState.LISTENING) {
                        state = SoftCmState.OVER;
                        return raise(this, rejection(Cm.REJ_INVALID_SERVICE_ID, new byte[0]));
                    }
                    mine = param;
                    state = SoftCmState.CONNECTING;
                    SoftCmId child = child();
                    child.state = SoftCmState.REQUESTED;
                    child.local = to;
                    child.remote = local;
                    pair(child);
                    return raise(listener, told(Cm.EVENT_CONNECT_REQUEST, param, child));
                });
    }

    private void pair(SoftCmId child) {
        child.peer = this;
        peer = child;
    }

    /** An id for a request. */
    SoftCmId child() {
        return new SoftCmId(cm, null);
    }

    /** How much private data an event brings, and its cause may have. */
    int most(int event) {
        return switch (event) {
            case Cm.EVENT_CONNECT_REQUEST -> Cm.CONNECT_PRIVATE_DATA;
            case Cm.EVENT_REJECTED -> Cm.REJECT_PRIVATE_DATA;
            default -> Cm.ACCEPT_PRIVATE_DATA;
        };
    }

    /** The event with the other side's parameters, whose roles are swapped. */
    CmEvent told(int type, CmConnParam param, @Nullable SoftCmId child) {
        return new CmEvent(
                type,
                0,
                Arrays.copyOf(param.privateData(), most(type)),
                param.qpNum(),
                SoftQpAttrs.granted(param.initiatorDepth()),
                SoftQpAttrs.granted(param.responderResources()),
                param.srq(),
                child,
                null);
    }

    /** The event of a client that is rejected. */
    CmEvent rejection(int reason, byte[] privateData) {
        byte[] padded = Arrays.copyOf(privateData, Cm.REJECT_PRIVATE_DATA);
        return CmEvent.of(Cm.EVENT_REJECTED, reason, padded, null);
    }

    @Override
    public int accept(CmConnParam param) {
        return locked(
                () -> {
                    SoftCmId client = peer;
                    if (state != SoftCmState.REQUESTED
                            || client == null
                            || client.state != SoftCmState.CONNECTING
                            || !SoftQpAttrs.isValid(param, most(Cm.EVENT_CONNECT_RESPONSE))) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    mine = param;
                    state = SoftCmState.ACCEPTED;
                    if (isCutOffFrom(client)) {
                        return Raised.NOTHING;
                    }
                    client.state = SoftCmState.RESPONDED;
                    return raise(client, told(Cm.EVENT_CONNECT_RESPONSE, param, null));
                });
    }

    @Override
    public int establish() {
        return locked(
                () -> {
                    SoftCmId server = peer;
                    if (state != SoftCmState.RESPONDED || server == null) {
                        return Raised.refused(Errno.EINVAL);
                    }
                    state = SoftCmState.CONNECTED;
                    if (isCutOffFrom(server)) { // the server waits in vain
                        return Raised.NOTHING;
                    }
                    server.state = SoftCmState.CONNECTED;
                    return raise(server, Cm.EVENT_ESTABLISHED, 0);
                });
    }

    @Override
    public int reject(byte[] privateData) {
        return locked(
                () ->
                        (state == SoftCmState.REQUESTED || state == SoftCmState.RESPONDED)
                                        && privateData.length <= most(Cm.EVENT_REJECTED)
                                ? rejectPeer(privateData)
                                : Raised.refused(Errno.EINVAL));
    }

    /** Ends what is not established yet; EINVAL if the peer has gone. */
    private Raised rejectPeer(byte[] privateData) {
        SoftCmId other = peer;
        state = SoftCmState.OVER;
        peer = null;
        if (other == null) {
            return Raised.refused(Errno.EINVAL);
        }
        other.peer = null;
        if (isCutOffFrom(other)) { // it goes on waiting
            return Raised.NOTHING;
        }
        other.state = SoftCmState.OVER;
        return raise(other, rejection(Cm.REJ_CONSUMER_DEFINED, privateData));
    }

    @Override
    public int disconnect() {
        return locked(
                () -> {
                    if (state == SoftCmState.CONNECTED) {
                        state = SoftCmState.DISCONNECTING;
                        return leave();
                    }
                    if (state == SoftCmState.LEFT) {
                        state = SoftCmState.OVER;
                        return answer();
                    }
                    return Raised.refused(Errno.EINVAL);
                });
    }

    /** Notifies the peer that this side disconnects. A port that is down is as silent as a peer. */
    private Raised leave() {
        SoftCmId other = peer;
        if (other == null) { // it has gone while nothing could get here
            return raise(this, Cm.EVENT_DISCONNECTED, 0);
        }
        if (isCutOffFrom(other)) {
            return raise(this, Cm.EVENT_DISCONNECTED, -Errno.ETIMEDOUT);
        }
        if (other.state == SoftCmState.DISCONNECTING) { // its request was lost: it answers this one
            state = SoftCmState.OVER;
            forgetPeer();
            return raise(this, Cm.EVENT_DISCONNECTED, 0);
        }
        other.state = SoftCmState.LEFT;
        return raise(other, Cm.EVENT_DISCONNECTED, 0);
    }

    /** Answers a peer that disconnects. */
    private Raised answer() {
        SoftCmId other = peer;
        peer = null;
        if (other == null || other.state != SoftCmState.DISCONNECTING) {
            return Raised.NOTHING;
        }
        other.state = SoftCmState.OVER;
        other.peer = null;
        int status = isCutOffFrom(other) ? -Errno.ETIMEDOUT : 0; // it has waited long enough
        return raise(other, Cm.EVENT_DISCONNECTED, status);
    }

    /** Groups are for datagrams. */
    @Override
    public int joinMulticast(InetSocketAddress group) {
        return -Errno.EINVAL;
    }

    @Override
    public int leaveMulticast(InetSocketAddress group) {
        return -Errno.EINVAL;
    }

    @Override
    public int notifyEstablished() {
        return locked(
                () -> Raised.refused(state == SoftCmState.CONNECTED ? EISCONN : Errno.EINVAL));
    }

    @Override
    public void destroy() {
        locked(
                () -> {
                    SoftCmState was = state;
                    state = SoftCmState.OVER;
                    events = null;
                    InetSocketAddress address = bound;
                    if (address != null) {
                        bound = null;
                        ports.unbind(address);
                    }
                    return switch (was) {
                        case REQUESTED, ACCEPTED, RESPONDED -> endUnestablished();
                        case CONNECTING, DISCONNECTING -> {
                            forgetPeer();
                            yield Raised.NOTHING;
                        }
                        case CONNECTED -> {
                            Raised left = leave();
                            forgetPeer();
                            yield left;
                        }
                        case LEFT -> answer();
                        default -> Raised.NOTHING;
                    };
                });
    }

    private Raised endUnestablished() {
        return peer == null ? Raised.NOTHING : rejectPeer(new byte[0]);
    }

    private void forgetPeer() {
        SoftCmId other = peer;
        peer = null;
        if (other != null) {
            other.peer = null;
        }
    }

    @Override
    public int initQpAttr(QpAttr attr) {
        return read(() -> fill(attr));
    }

    int fill(QpAttr attr) {
        if (attr.qpState == Ibv.QPS_INIT) {
            return SoftQpAttrs.init(attr);
        }
        SoftCmId other = peer;
        CmConnParam theirs = other == null ? null : other.mine;
        if (other == null || theirs == null) {
            return -Errno.EINVAL;
        }
        return switch (attr.qpState) {
            case Ibv.QPS_RTR -> SoftQpAttrs.rtr(attr, cm.guid(), mine, theirs, other.psn);
            case Ibv.QPS_RTS -> SoftQpAttrs.rts(attr, ackTimeout, mine, theirs, psn);
            default -> -Errno.EINVAL;
        };
    }

    @Override
    public @Nullable InetSocketAddress localAddress() {
        return read(() -> local);
    }

    @Override
    public @Nullable InetSocketAddress peerAddress() {
        return read(() -> remote);
    }

    @Override
    public @Nullable String deviceName() {
        return read(this::isOfDevice) ? cm.device() : null;
    }

    /** Whether an address says which device it is: that of a peer, or one of its own. */
    private boolean isOfDevice() {
        InetSocketAddress own = local;
        return remote != null || (own != null && !own.getAddress().isAnyLocalAddress());
    }

    @Override
    public int portNum() {
        return deviceName() == null ? 0 : SoftQpAttrs.PORT;
    }
}
