package io.loomverbs.internal.softcm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmConnParam;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.internal.cm.CmOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.LoadedClasses;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;

/**
 * The connection manager of one embedded device. All contexts of the device share its addresses:
 * every IP address belongs to it, except {@code 192.0.2.0/24}, which is unreachable.
 */
final class SoftCm implements CmOps {
    static {
        LoadedClasses.besides(SoftCm.class);
    }

    /** Guards the states of all ids. No event is raised while it is held. */
    final ReentrantLock lock = new ReentrantLock();

    final SoftPorts ports = new SoftPorts();

    /** Those of datagrams are others. */
    final SoftPorts udPorts = new SoftPorts();

    private final String device;
    private final long guid;

    /** Of queue pairs, by their numbers. */
    private final IntPredicate portsDown;

    /** Of a device whose ports are up. */
    SoftCm(String device, long guid) {
        this(device, guid, qpn -> false);
    }

    SoftCm(String device, long guid, IntPredicate portsDown) {
        this.device = device;
        this.guid = guid;
        this.portsDown = portsDown;
    }

    /** Whether nothing gets out where that queue pair is; null for none. */
    boolean isCutOff(@Nullable CmConnParam side) {
        return side != null && portsDown.test(side.qpNum());
    }

    String device() {
        return device;
    }

    long guid() {
        return guid;
    }

    @Override
    public CmIdOps createId(CmListener events, int ps) {
        return ps == Cm.PS_UDP ? new SoftUdId(this, events) : new SoftCmId(this, events);
    }

    /** Whether no device has this address: that of the documentation's examples (RFC 5737). */
    static boolean isUnreachable(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == 4 && bytes[0] == (byte) 192 && bytes[1] == 0 && bytes[2] == 2;
    }

    static int problem(InetSocketAddress remote) {
        return isUnreachable(remote.getAddress()) ? -Errno.ENETUNREACH : 0;
    }
}
