package io.loomverbs.schedule;

import io.loomverbs.Context;
import io.loomverbs.Opened;
import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.StubContext;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.soft.FreshDevice;

import java.util.IdentityHashMap;

/**
 * A device whose events a scenario raises itself, as often as it likes, armed or not: the core must
 * not rely on a device that is well-behaved.
 */
final class ScriptedDevice implements DeviceOps {
    private final DeviceAttr attributes;
    private final IdentityHashMap<Thread, ScriptedCq> lastCreated = new IdentityHashMap<>();

    /** What its events have to be fetched from; null if they come by themselves. */
    private final LedSource source;

    /** How many more times it refuses to destroy a channel; if it is not led. */
    int channelRefusals;

    private PortListener ports;
    private LedSource.Channel async;

    private ScriptedDevice(LedSource source) {
        this.source = source;
        attributes = FreshDevice.create().open((type, port) -> {}).queryDevice();
    }

    static ScriptedDevice create() {
        return new ScriptedDevice(null);
    }

    /** A device like those of libibverbs. */
    static ScriptedDevice led(LedSource source) {
        return new ScriptedDevice(source);
    }

    Context open() {
        return Opened.open(this);
    }

    /** The device's side of the CQ that this thread has created last. */
    ScriptedCq lastCreated() {
        return lastCreated.get(Thread.currentThread());
    }

    private int destroyChannel() {
        SchedulePoint.point();
        if (channelRefusals > 0) {
            channelRefusals--;
            return -Errno.EBUSY;
        }
        return 0;
    }

    /** The first port of a led device goes down. */
    void portEvent() {
        async.add(() -> ports.asyncEvent(Ibv.EVENT_PORT_ERR, 1));
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
        ports = events;
        async = source == null ? null : source.channel();
        LedSource.Channel direct = source == null ? null : source.channel();
        return new StubContext(attributes) {
            @Override
            public ChannelOps createCompChannel() {
                return source == null ? ScriptedDevice.this::destroyChannel : source.channel();
            }

            @Override
            public ChannelOps directChannel() {
                return direct;
            }

            @Override
            public EventFeed asyncFeed() {
                return async;
            }

            @Override
            public CqOps createCq(int cqe, ChannelOps channel, int vector, CqListener listener) {
                ScriptedCq cq = new ScriptedCq(listener, channel);
                lastCreated.put(Thread.currentThread(), cq);
                return cq;
            }

            @Override
            public void close() {}
        };
    }
}
