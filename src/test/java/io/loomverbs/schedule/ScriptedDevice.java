package io.loomverbs.schedule;

import io.loomverbs.Context;
import io.loomverbs.Opened;
import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.soft.FreshDevice;

import java.util.IdentityHashMap;

/**
 * A device whose events a scenario raises itself, as often as it likes, armed or not: the heart
 * must not rely on a device that is well-behaved.
 */
final class ScriptedDevice implements DeviceOps {
    private final DeviceAttr attributes;
    private final IdentityHashMap<Thread, ScriptedCq> lastCreated = new IdentityHashMap<>();

    private ScriptedDevice() {
        attributes = FreshDevice.create().open((type, port) -> {}).queryDevice();
    }

    static ScriptedDevice create() {
        return new ScriptedDevice();
    }

    Context open() {
        return Opened.open(this);
    }

    /** The device's side of the CQ that this thread has created last. */
    ScriptedCq lastCreated() {
        return lastCreated.get(Thread.currentThread());
    }

    @Override
    public String name() {
        return "scripted";
    }

    @Override
    public long guid() {
        return 1;
    }

    @Override
    public ContextOps open(PortListener events) {
        return new ContextOps() {
            @Override
            public DeviceAttr queryDevice() {
                return attributes;
            }

            @Override
            public PortAttr queryPort(int port) {
                throw new UnsupportedOperationException();
            }

            @Override
            public byte[] queryGid(int port, int index) {
                throw new UnsupportedOperationException();
            }

            @Override
            public ChannelOps createCompChannel() {
                return () -> 0;
            }

            @Override
            public CqOps createCq(int cqe, ChannelOps channel, int vector, CqListener listener) {
                ScriptedCq cq = new ScriptedCq(listener);
                lastCreated.put(Thread.currentThread(), cq);
                return cq;
            }

            @Override
            public void close() {}
        };
    }
}
