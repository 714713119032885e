package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceAttrEx;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Ibv;

/** The device and its fabric, which all its contexts share. */
final class SoftDevice implements DeviceOps {
    static final int MAX_RD_ATOMIC = 128;
    private static final int ATOMIC_GLOB = 2;
    private static final int QPN_GENERATION_BITS = 5;
    private static final int KEY_GENERATION_BITS = 8;
    private static final int MAX_MW = 1 << 16;
    private static final int CAP_FLAGS =
            Ibv.DEVICE_SRQ_RESIZE
                    | Ibv.DEVICE_MEM_WINDOW
                    | Ibv.DEVICE_MEM_MGT_EXTENSIONS
                    | Ibv.DEVICE_MEM_WINDOW_TYPE_2B;

    private final String name;

    /** Whether it is as strict as any real device. */
    final boolean strict;

    final SoftPort port;

    /** The largest {@code cq_count} and {@code cq_period}. */
    private static final int MAX_MODERATION = 0xffff;

    private static final int ODP_OF_UD =
            Ibv.ODP_SUPPORT_SEND | Ibv.ODP_SUPPORT_RECV | Ibv.ODP_SUPPORT_SRQ_RECV;

    private static final int ODP_OF_UC = ODP_OF_UD | Ibv.ODP_SUPPORT_WRITE;

    final SoftClock clock;
    final SoftLimits limits;
    final IdTable<SoftQp> qps;
    final IdTable<SoftMr> mrs;
    final IdTable<SoftMw> mws;
    final Quota cqs;
    final Quota pds;
    final Quota ahs;
    final Quota srqs;
    final RetryTimer timer;
    final MulticastGroups multicast = new MulticastGroups();

    SoftDevice(SoftLimits limits) {
        this(limits, new RetryTimer("soft0"));
    }

    /** With a timer of its own. */
    SoftDevice(SoftLimits limits, RetryTimer timer) {
        this("soft0", false, SoftPort.GUID, limits, timer);
    }

    static SoftDevice strict(SoftLimits limits) {
        return strict(limits, new RetryTimer("strict0"));
    }

    /** With a timer of its own. */
    static SoftDevice strict(SoftLimits limits, RetryTimer timer) {
        return new SoftDevice("strict0", true, SoftPort.GUID + 1, limits, timer);
    }

    private SoftDevice(
            String name, boolean strict, long guid, SoftLimits limits, RetryTimer timer) {
        this.name = name;
        this.strict = strict;
        this.clock = strict ? SoftClock.COARSE : SoftClock.NANOS;
        this.port = new SoftPort(guid, strict);
        this.timer = timer;
        this.limits = limits;
        this.qps = new IdTable<>(limits.maxQp(), QPN_GENERATION_BITS);
        this.mrs = new IdTable<>(limits.maxMr(), KEY_GENERATION_BITS);
        this.mws = new IdTable<>(MAX_MW, KEY_GENERATION_BITS);
        this.cqs = new Quota(limits.maxCq());
        this.pds = new Quota(limits.maxPd());
        this.ahs = new Quota(limits.maxAh());
        this.srqs = new Quota(limits.maxSrq());
    }

    /**
     * It pages on demand as all memory of a JVM does, but for {@code strict0}, which refuses it.
     */
    DeviceAttrEx extendedAttributes() {
        return strict
                ? new DeviceAttrEx(
                        0, 0, 0, 0, 0, clock.mask, clock.kiloHertz, MAX_MODERATION, MAX_MODERATION)
                : new DeviceAttrEx(
                        0,
                        Ibv.ODP_SUPPORT,
                        ODP_OF_UC | Ibv.ODP_SUPPORT_READ | Ibv.ODP_SUPPORT_ATOMIC,
                        ODP_OF_UC,
                        ODP_OF_UD,
                        clock.mask,
                        clock.kiloHertz,
                        MAX_MODERATION,
                        MAX_MODERATION);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long guid() {
        return port.guid;
    }

    @Override
    public ContextOps open(PortListener events) {
        return new SoftContext(this, events);
    }

    DeviceAttr attributes() {
        return new DeviceAttr(
                "1.0",
                port.guid,
                port.guid,
                Long.MAX_VALUE,
                0xffff_f000L,
                0,
                0,
                1,
                limits.maxQp(),
                limits.maxQpWr(),
                CAP_FLAGS,
                limits.maxSge(),
                limits.maxSge(),
                limits.maxCq(),
                limits.maxCqe(),
                limits.maxMr(),
                limits.maxPd(),
                MAX_MW,
                limits.maxAh(),
                limits.maxSrq(),
                limits.maxQpWr(),
                limits.maxSge(),
                MAX_RD_ATOMIC,
                MAX_RD_ATOMIC,
                MAX_RD_ATOMIC * limits.maxQp(),
                limits.maxInline(),
                ATOMIC_GLOB,
                Integer.MAX_VALUE,
                limits.maxQp(),
                Integer.MAX_VALUE,
                1,
                0,
                1,
                limits.numCompVectors());
    }
}
