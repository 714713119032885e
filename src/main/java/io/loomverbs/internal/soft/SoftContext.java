package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceAttrEx;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.FaultOps;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.LoadedClasses;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.PortAttr;

import org.jspecify.annotations.Nullable;

/** An open {@code soft0}. */
final class SoftContext implements ContextOps {
    static {
        LoadedClasses.besides(SoftContext.class);
    }

    /** The fields of completions here beyond those of a plain CQ. */
    private static final int TIMES =
            Ibv.WC_EX_WITH_COMPLETION_TIMESTAMP | Ibv.WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK;

    final SoftDevice device;
    final DeviceOps.PortListener events;
    final SoftFaults faults = new SoftFaults(this);
    final CqList cqs = new CqList();

    SoftContext(SoftDevice device, DeviceOps.PortListener events) {
        this.device = device;
        this.events = events;
    }

    @Override
    public FaultOps faults() {
        return faults;
    }

    @Override
    public DeviceAttr queryDevice() {
        return device.attributes();
    }

    @Override
    public DeviceAttrEx queryDeviceEx() {
        faults.checkDevice();
        return device.extendedAttributes();
    }

    @Override
    public PortAttr queryPort(int port) {
        faults.checkDevice();
        return SoftPort.attributes(faults.isPortDown());
    }

    @Override
    public byte[] queryGid(int port, int index) {
        faults.checkDevice();
        return device.port.gid();
    }

    @Override
    public int queryPkey(int port, int index) {
        faults.checkDevice();
        return SoftPort.DEFAULT_PKEY;
    }

    @Override
    public ChannelOps createCompChannel() {
        faults.checkDevice();
        return new SoftChannel(this);
    }

    @Override
    public CqOps createCq(
            int cqe, @Nullable ChannelOps channel, int compVector, CqListener listener) {
        return createCq(cqe, channel, compVector, listener, false);
    }

    @Override
    public CqOps createCqEx(
            int cqe,
            @Nullable ChannelOps channel,
            int compVector,
            int wcFlags,
            CqListener listener) {
        if ((wcFlags & ~TIMES) != 0) {
            throw new DeviceException(
                    Errno.EOPNOTSUPP, "wc_flags 0x" + Integer.toHexString(wcFlags));
        }
        return createCq(cqe, channel, compVector, listener, wcFlags != 0);
    }

    private CqOps createCq(
            int cqe,
            @Nullable ChannelOps channel,
            int compVector,
            CqListener listener,
            boolean stamped) {
        faults.checkDevice();
        if (cqe < 1 || cqe > device.limits.maxCqe()) {
            throw invalid("cqe " + cqe + " is not in 1.." + device.limits.maxCqe());
        }
        if (compVector < 0 || compVector >= device.limits.numCompVectors()) {
            throw invalid(
                    "comp_vector "
                            + compVector
                            + " is not in 0.."
                            + (device.limits.numCompVectors() - 1));
        }
        SoftChannel softChannel = null;
        if (channel != null) {
            if (!(channel instanceof SoftChannel ours) || ours.context != this) {
                throw invalid("the channel is of another context");
            }
            softChannel = ours;
        }
        SoftCq cq =
                new SoftCq(this, cqe, softChannel, listener, stamped); // first: memory may run out
        device.cqs.take("CQs");
        if (softChannel != null && !softChannel.users.add()) {
            device.cqs.give();
            throw invalid("the channel was destroyed");
        }
        cqs.add(cq);
        if (faults.isDeviceLost()) {
            cq.lose();
        }
        return cq;
    }

    @Override
    public long queryRawClock() {
        faults.checkDevice();
        return device.clock.ticks(System.nanoTime());
    }

    @Override
    public PdOps allocPd() {
        faults.checkDevice();
        SoftPd pd = new SoftPd(this);
        device.pds.take("PDs");
        return pd;
    }

    @Override
    public void close() {
        // The caller has destroyed everything else, and the device outlives its contexts.
    }

    static DeviceException invalid(String detail) {
        return new DeviceException(Errno.EINVAL, detail);
    }
}
