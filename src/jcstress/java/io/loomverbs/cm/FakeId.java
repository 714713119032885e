package io.loomverbs.cm;

import io.loomverbs.internal.cm.CmConnParam;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.internal.device.QpAttr;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/** An id that does nothing, and says whether it was destroyed. */
final class FakeId implements CmIdOps {
    private static final InetSocketAddress HERE =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);

    private volatile boolean destroyed;

    boolean isDestroyed() {
        return destroyed;
    }

    static CmEvent event(int type) {
        return CmEvent.of(type, 0);
    }

    @Override
    public void listener(CmListener events) {}

    @Override
    public int bindAddr(InetSocketAddress local) {
        return 0;
    }

    @Override
    public int listen(int backlog) {
        return 0;
    }

    @Override
    public int resolveAddr(InetSocketAddress local, InetSocketAddress remote, int timeoutMs) {
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
        return 0;
    }

    @Override
    public int notifyEstablished() {
        return 0;
    }

    @Override
    public int initQpAttr(QpAttr attr) {
        return 0;
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
    public String deviceName() {
        return "fake0";
    }

    @Override
    public int portNum() {
        return 1;
    }

    @Override
    public void destroy() {
        destroyed = true;
    }
}
