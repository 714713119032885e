package io.loomverbs.cm;

import io.loomverbs.internal.cm.CmConnParam;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.internal.device.QpAttr;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.ToIntFunction;

/** An id whose events a test raises itself. Every call succeeds and starts nothing. */
final class ScriptedId implements CmIdOps {
    private static final InetSocketAddress HERE =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);

    @Nullable CmListener events;
    @Nullable String device = "fake0";
    int transportType;
    int disconnects;
    int destructions;

    /** Of {@code initQpAttr}: no attributes, until a test names some. */
    ToIntFunction<QpAttr> attributes = attr -> 0;

    @Override
    public void listener(CmListener to) {
        events = to;
    }

    @Override
    public int bindAddr(InetSocketAddress local) {
        return 0;
    }

    @Override
    public int listen(int backlog) {
        return 0;
    }

    @Override
    public int resolveAddr(
            @Nullable InetSocketAddress local, InetSocketAddress remote, int timeoutMs) {
        return 0;
    }

    @Override
    public int resolveRoute(int timeoutMs) {
        return 0;
    }

    @Override
    public int setAckTimeout(int exponent) {
        return 0;
    }

    @Override
    public int connect(CmConnParam param) {
        return 0;
    }

    @Override
    public int establish() {
        return 0;
    }

    @Override
    public int accept(CmConnParam param) {
        return 0;
    }

    @Override
    public int reject(byte[] privateData) {
        return 0;
    }

    @Override
    public int disconnect() {
        disconnects++;
        return 0;
    }

    @Override
    public int joinMulticast(InetSocketAddress group) {
        return 0;
    }

    @Override
    public int leaveMulticast(InetSocketAddress group) {
        return 0;
    }

    @Override
    public int notifyEstablished() {
        return 0;
    }

    @Override
    public int initQpAttr(QpAttr attr) {
        return attributes.applyAsInt(attr);
    }

    @Override
    public InetSocketAddress localAddress() {
        return HERE;
    }

    @Override
    public InetSocketAddress peerAddress() {
        return HERE;
    }

    @Override
    public @Nullable String deviceName() {
        return device;
    }

    @Override
    public int transportType() {
        return transportType;
    }

    @Override
    public int portNum() {
        return 1;
    }

    @Override
    public void destroy() {
        destructions++;
    }
}
