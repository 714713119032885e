package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.LoadedClasses;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.PortAttr;

import org.jspecify.annotations.Nullable;

/** An open {@code soft0}. */
final class SoftContext implements ContextOps {
    static {
        LoadedClasses.besides(SoftContext.class);
    }

    private final SoftDevice device;

    SoftContext(SoftDevice device) {
        this.device = device;
    }

    @Override
    public DeviceAttr queryDevice() {
        return device.attributes();
    }

    @Override
    public PortAttr queryPort(int port) {
        return SoftPort.attributes();
    }

    @Override
    public byte[] queryGid(int port, int index) {
        return device.port.gid();
    }

    @Override
    public int queryPkey(int port, int index) {
        return SoftPort.DEFAULT_PKEY;
    }

    @Override
    public ChannelOps createCompChannel() {
        return new SoftChannel(this);
    }

    @Override
    public CqOps createCq(
            int cqe, @Nullable ChannelOps channel, int compVector, CqListener events) {
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
        SoftCq cq = new SoftCq(device, cqe, softChannel, events); // first: memory may run out
        device.cqs.take("CQs");
        if (softChannel != null && !softChannel.users.add()) {
            device.cqs.give();
            throw invalid("the channel was destroyed");
        }
        return cq;
    }

    @Override
    public PdOps allocPd() {
        SoftPd pd = new SoftPd(device);
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
