package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.MwOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.event.HelperThreads;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/** A protection domain. */
final class SoftPd implements PdOps, Keys {
    private static final int REMOTE_CHANGES = Ibv.ACCESS_REMOTE_WRITE | Ibv.ACCESS_REMOTE_ATOMIC;
    static final int ANY_ACCESS =
            Ibv.ACCESS_LOCAL_WRITE
                    | Ibv.ACCESS_REMOTE_READ
                    | REMOTE_CHANGES
                    | Ibv.ACCESS_MW_BIND
                    | Ibv.ACCESS_ON_DEMAND
                    | Ibv.ACCESS_HUGETLB
                    | Ibv.ACCESS_RELAXED_ORDERING;

    final SoftDevice device;
    final SoftFaults faults;
    final RefCount users = new RefCount();

    SoftPd(SoftContext context) {
        this.device = context.device;
        this.faults = context.faults;
    }

    @Override
    public MrOps regMr(MemorySegment memory, int access) {
        faults.checkDevice();
        if ((access & ~ANY_ACCESS) != 0
                || ((access & REMOTE_CHANGES) != 0 && (access & Ibv.ACCESS_LOCAL_WRITE) == 0)) {
            throw SoftContext.invalid("access flags 0x" + Integer.toHexString(access));
        }
        if (device.strict && (access & Ibv.ACCESS_ON_DEMAND) != 0) {
            throw new DeviceException(Errno.EOPNOTSUPP, "access flags: on demand");
        }
        if (!memory.isNative()
                || memory.byteSize() == 0
                || !memory.isAccessibleBy(HelperThreads.OTHER)) {
            throw SoftContext.invalid("not native memory that threads share: " + memory);
        }
        if (memory.isReadOnly() && (access & Ibv.ACCESS_LOCAL_WRITE) != 0) {
            throw new DeviceException(Errno.EACCES, "the memory is read-only");
        }
        enter();
        SoftMr mr = null;
        try {
            mr = device.mrs.add(key -> new SoftMr(key, this, memory, access));
        } finally {
            if (mr == null) {
                users.remove();
            }
        }
        if (mr == null) {
            throw Quota.exhausted("MRs", device.mrs.limit());
        }
        return mr;
    }

    /** Its regions: the key of a window is for peers. */
    @Override
    public @Nullable KeyedMemory find(int key) {
        SoftMr mr = device.mrs.find(key);
        return mr != null && mr.pd == this ? mr : null;
    }

    @Override
    public MwOps allocMw(int type) {
        faults.checkDevice();
        if (type != Ibv.MW_TYPE_1 && type != Ibv.MW_TYPE_2) {
            throw SoftContext.invalid("memory windows of type " + type);
        }
        enter();
        SoftMw mw = null;
        try {
            mw = device.mws.add(id -> new SoftMw(id, this, type));
        } finally {
            if (mw == null) {
                users.remove();
            }
        }
        if (mw == null) {
            throw Quota.exhausted("MWs", device.mws.limit());
        }
        return mw;
    }

    @Override
    public SrqOps createSrq(SrqAttr attr, AsyncListener events) {
        faults.checkDevice();
        SoftLimits limits = device.limits;
        if (attr.maxWr() < 1
                || attr.maxWr() > limits.maxQpWr()
                || outside(attr.maxSge(), limits.maxSge())) {
            throw SoftContext.invalid(attr + " goes beyond " + limits);
        }
        SoftSrq srq = new SoftSrq(this, attr, events); // first: memory may run out
        device.srqs.take("SRQs");
        if (!users.add()) {
            device.srqs.give();
            throw deallocated();
        }
        return srq;
    }

    @Override
    public QpOps createQp(
            QpInit init, CqOps sendCq, CqOps recvCq, @Nullable SrqOps srq, AsyncListener events) {
        faults.checkDevice();
        if (init.qpType() != Ibv.QPT_RC
                && init.qpType() != Ibv.QPT_UC
                && init.qpType() != Ibv.QPT_UD) {
            throw new DeviceException(Errno.EOPNOTSUPP, "QP type " + init.qpType());
        }
        checkCap(init.cap());
        SoftSrq shared = srq == null ? null : usable(srq);
        if (!(sendCq instanceof SoftCq send) || !(recvCq instanceof SoftCq recv)) {
            throw SoftContext.invalid("a CQ is of another device");
        }
        enter();
        if (!send.addUser()) {
            users.remove();
            throw SoftContext.invalid("the send CQ was destroyed");
        }
        if (!recv.addUser()) {
            send.removeUser();
            users.remove();
            throw SoftContext.invalid("the receive CQ was destroyed");
        }
        if (shared != null && !shared.users.add()) {
            recv.removeUser();
            send.removeUser();
            users.remove();
            throw SoftContext.invalid("the SRQ was destroyed");
        }
        SoftQp qp = null;
        try {
            qp = device.qps.add(qpn -> new SoftQp(qpn, this, init, send, recv, shared, events));
        } finally {
            if (qp == null) {
                if (shared != null) {
                    shared.users.remove();
                }
                recv.removeUser();
                send.removeUser();
                users.remove();
            }
        }
        if (qp == null) {
            throw Quota.exhausted("QPs", device.qps.limit());
        }
        if (faults.isDeviceLost()) {
            qp.vanish();
        }
        return qp;
    }

    @Override
    public AhOps createAh(AhAttr attr) {
        faults.checkDevice();
        if (!SoftPort.accepts(attr)) {
            throw SoftContext.invalid("port " + attr.portNum() + ", GID " + attr.sgidIndex());
        }
        SoftAh ah = new SoftAh(this, attr);
        device.ahs.take("AHs");
        if (!users.add()) {
            device.ahs.give();
            throw deallocated();
        }
        return ah;
    }

    @Override
    public int dealloc() {
        if (!users.retire()) {
            return users.retired() ? -Errno.EINVAL : -Errno.EBUSY;
        }
        device.pds.give();
        return 0;
    }

    private void enter() {
        if (!users.add()) {
            throw deallocated();
        }
    }

    private SoftSrq usable(SrqOps srq) {
        if (!(srq instanceof SoftSrq ours) || ours.pd.device != device) {
            throw SoftContext.invalid("the SRQ is of another device");
        }
        if (device.strict && ours.pd != this) {
            throw SoftContext.invalid("the SRQ is of another PD");
        }
        return ours;
    }

    private void checkCap(QpCap cap) {
        SoftLimits limits = device.limits;
        if (outside(cap.maxSendWr(), limits.maxQpWr())
                || outside(cap.maxRecvWr(), limits.maxQpWr())
                || outside(cap.maxSendSge(), limits.maxSge())
                || outside(cap.maxRecvSge(), limits.maxSge())
                || outside(cap.maxInlineData(), limits.maxInline())) {
            throw SoftContext.invalid(cap + " goes beyond " + limits);
        }
    }

    private static boolean outside(int value, int max) {
        return value < 0 || value > max;
    }

    private static DeviceException deallocated() {
        return SoftContext.invalid("the PD was deallocated");
    }
}
