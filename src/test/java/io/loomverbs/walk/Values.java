package io.loomverbs.walk;

import io.loomverbs.Access;
import io.loomverbs.AhAttributes;
import io.loomverbs.ChannelHandler;
import io.loomverbs.CompletionHandler;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqConfig;
import io.loomverbs.Gid;
import io.loomverbs.GroupCompletions;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MrChanges;
import io.loomverbs.Mtu;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WaitStats;
import io.loomverbs.WcField;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.testkit.Distribution;
import io.loomverbs.testkit.Leaks;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;

/** Arguments of every kind: good ones, limits and what is beyond them, and what cannot be. */
class Values {
    /** There is no value of the type that the walk could give. */
    static final Object NONE = new Object();

    private static final int[] INTS = {
        0,
        0,
        1,
        1,
        1,
        2,
        2,
        3,
        4,
        7,
        8,
        16,
        31,
        32,
        64,
        -1,
        -2,
        127,
        128,
        255,
        256,
        1023,
        1024,
        1025,
        0xffff,
        0x10000,
        0xffffff,
        0x1000000,
        1 << 20,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE
    };
    private static final long[] LONGS = {
        0,
        1,
        8,
        40,
        64,
        4096,
        8192,
        -1,
        -8,
        1L << 31,
        1L << 32,
        1L << 40,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };
    private static final double[] DOUBLES = {0, 0, 0.1, 0.5, 1, -0.1, 1.1, Double.NaN};
    private static final Duration[] DURATIONS = {
        Duration.ZERO,
        Duration.ZERO,
        Duration.ofNanos(1),
        Duration.ofMillis(1),
        Duration.ofNanos(-1),
        Duration.ofSeconds(Long.MIN_VALUE),
        Duration.ofSeconds(Long.MAX_VALUE),
        Duration.ofNanos(Long.MAX_VALUE),
        Duration.ofNanos(Long.MAX_VALUE - 1)
    };

    final World world;
    final Dice dice;

    Values(World world, Dice dice) {
        this.world = world;
        this.dice = dice;
    }

    /** Whether it is meant for one thread at a time, so that several must not share it. */
    static boolean isOfOneThread(Object value) {
        return value instanceof SendWorkRequest
                || value instanceof RecvWorkRequest
                || value instanceof WorkCompletions
                || value instanceof QpAttributes.Builder;
    }

    /**
     * A value of the type, rarely null where null can be passed; {@link #NONE} if there is none.
     */
    @Nullable Object of(Class<?> type, boolean nullable) {
        if (!type.isPrimitive() && dice.oneIn(nullable ? 3 : 40)) {
            return null;
        }
        if (type == int.class) {
            return number(dice.oneIn(20) ? (int) dice.any() : dice.of(INTS));
        } else if (type == long.class) {
            return number();
        } else if (type == double.class) {
            return DOUBLES[dice.below(DOUBLES.length)];
        } else if (type == boolean.class) {
            return dice.oneIn(2);
        } else if (type == Object.class) {
            return dice.of("a context", this, 7);
        } else if (type == String.class) {
            return dice.of(
                    "", "soft0", "strict0", "nosuch", "fe80::1", "::ffff:10.0.0.1", "g:g", "1:2:3");
        } else if (type == Duration.class) {
            return dice.of(DURATIONS);
        } else if (type == Access[].class) {
            return access();
        } else if (type == CompletionHandler.class) {
            return (CompletionHandler) batch -> {};
        } else if (type == ChannelHandler.class) {
            return (ChannelHandler) (cq, batch) -> {};
        } else if (type == Supplier.class) {
            return (Supplier<List<WaitStats>>) List::of;
        } else if (type == ThreadFactory.class) {
            return Thread.ofVirtual().factory();
        } else if (type == MemorySegment.class) {
            return segment();
        } else if (type == ByteBuffer.class) {
            return dice.oneIn(3) ? ByteBuffer.allocate(64) : ByteBuffer.allocateDirect(64);
        } else if (type.isEnum()) {
            return dice.of(type.getEnumConstants());
        }
        return object(type);
    }

    /** Limits a number that may be any. */
    int number(int any) {
        return any;
    }

    private Object object(Class<?> type) {
        List<Object> there = world.all(type);
        if (!there.isEmpty() && !dice.oneIn(4)) {
            return dice.of(there);
        }
        Object made = make(type);
        if (made != NONE) {
            return made;
        }
        return there.isEmpty() ? NONE : dice.of(there);
    }

    Object make(Class<?> type) {
        if (type == byte[].class) {
            return new byte[dice.of(0, 15, 16, 16, 17)];
        } else if (type == Gid.class) {
            return dice.of(new Gid(0, 0), new Gid(1, 2), new Gid(0, 0xffff_0a00_0001L));
        } else if (type == WorkCompletions.class) {
            return WorkCompletions.allocate(dice.of(1, 2, 16));
        } else if (type == GroupCompletions.class) {
            return GroupCompletions.allocate(dice.of(1, 16));
        } else if (type == SendWorkRequest.class) {
            return send();
        } else if (type == RecvWorkRequest.class) {
            RecvWorkRequest wr = RecvWorkRequest.allocate(dice.of(1, 4));
            MemoryRegion mr = dice.oneIn(3) ? null : region();
            return mr == null ? wr : wr.sge(mr.address(), 1024, mr.lkey());
        } else if (type == QpConfig.class) {
            List<Object> cqs = world.all(CompletionQueue.class);
            return cqs.isEmpty()
                    ? NONE
                    : QpConfig.of(
                            dice.of(QpType.values()),
                            (CompletionQueue) dice.of(cqs),
                            (CompletionQueue) dice.of(cqs));
        } else if (type == QpEndpoint.class) {
            return endpoint();
        } else if (type == AhAttributes.class) {
            QpEndpoint to = endpoint();
            return new AhAttributes(
                    dice.of(1, 1, 1, 2, 255),
                    to.lid(),
                    0,
                    to.gid(),
                    dice.of(0, 0, 255, -2),
                    64,
                    0,
                    0);
        } else if (type == CqConfig.class) {
            CqConfig config = dice.oneIn(2) ? CqConfig.direct(dice.of(2, 64)) : CqConfig.of(64);
            return dice.oneIn(2) ? config : config.withFields(dice.of(WcField.values()));
        } else if (type == Set.class) {
            return Set.of(dice.of(WcField.values()));
        } else if (type == WcField[].class) {
            return new WcField[] {dice.of(WcField.values())};
        } else if (type == MrChanges.class) {
            MrChanges changes = MrChanges.of();
            changes = dice.oneIn(3) ? changes.withMemory(segment()) : changes;
            return dice.oneIn(3) ? changes : changes.withAccess(access(false));
        } else if (type == QpAttributes.class) {
            return attributes();
        } else if (type == QpAttributes.Builder.class) {
            return QpAttributes.builder();
        } else if (type == Distribution.class) {
            return Distribution.fixed(Duration.ofNanos(dice.of(0, 1, 1_000_000)));
        } else if (type == Leaks.class) {
            return Leaks.watch();
        }
        return NONE;
    }

    private SendWorkRequest send() {
        SendWorkRequest wr = SendWorkRequest.allocate(dice.of(1, 4), dice.of(0, 64));
        MemoryRegion mr = dice.oneIn(3) ? null : region();
        if (mr == null) {
            return wr;
        }
        switch (dice.below(4)) {
            case 0 -> wr.rdmaWrite(mr.address(), mr.rkey());
            case 1 -> wr.rdmaRead(mr.address(), mr.rkey());
            case 2 -> wr.fetchAndAdd(mr.address(), mr.rkey(), 1);
            default -> wr.send();
        }
        wr.sge(mr.address(), dice.of(0, 8, 1024), mr.lkey());
        return dice.oneIn(2) ? wr : wr.signaled();
    }

    private @Nullable MemoryRegion region() {
        List<Object> regions = world.all(MemoryRegion.class);
        return regions.isEmpty() ? null : (MemoryRegion) dice.of(regions);
    }

    private QpEndpoint endpoint() {
        List<Object> qps = world.all(QueuePair.class);
        if (!qps.isEmpty() && !dice.oneIn(4)) {
            return ((QueuePair) dice.of(qps)).endpoint();
        }
        return new QpEndpoint(
                dice.below(1 << 24),
                dice.below(1 << 24),
                dice.below(4),
                dice.of(new Gid(1, 2), null),
                dice.of(Mtu.values()));
    }

    /** The attributes of a step between states, at times with one too many or one missing. */
    QpAttributes attributes() {
        QpAttributes.Builder b = QpAttributes.builder();
        int kind = dice.below(8);
        if (kind < 5) {
            b.state(
                    dice.of(
                            QpState.INIT,
                            QpState.RTR,
                            QpState.RTS,
                            QpState.SQD,
                            QpState.ERR,
                            QpState.RESET));
        }
        List<Runnable> sets = new ArrayList<>();
        QpEndpoint to = endpoint();
        sets.add(() -> b.pkeyIndex(dice.of(0, 0, 0, 1, 65535)));
        sets.add(() -> b.portNum(dice.of(1, 1, 1, 2, 255)));
        sets.add(() -> b.access(Fixture.anything()));
        sets.add(() -> b.qkey(dice.of(0x1111_1111, -1)));
        sets.add(() -> b.pathMtu(dice.of(Mtu.MTU_256, Mtu.MTU_1024, Mtu.MTU_4096)));
        sets.add(() -> b.rqPsn(to.psn()).sqPsn(to.psn()));
        sets.add(() -> b.destQpNum(to.qpNum()));
        sets.add(() -> b.address(AhAttributes.of(new Gid(1, 2), to.lid())));
        sets.add(() -> b.maxRdAtomic(dice.of(0, 1, 128, 255)));
        sets.add(() -> b.maxDestRdAtomic(dice.of(0, 1, 128, 255)));
        sets.add(() -> b.timeout(dice.below(32)).retryCnt(dice.below(8)));
        sets.add(() -> b.rnrRetry(dice.below(8)).minRnrTimer(dice.below(32)));
        sets.add(() -> b.enSqdAsyncNotify(true));
        sets.add(() -> b.curState(dice.of(QpState.RTS, QpState.SQE, QpState.INIT)));
        for (Runnable set : sets) {
            if (dice.oneIn(3)) {
                set.run();
            }
        }
        return b.build();
    }

    private Access[] access() {
        return access(dice.oneIn(30));
    }

    private Access[] access(boolean withNull) {
        List<Access> some = new ArrayList<>();
        for (Access a : Access.values()) {
            if (a == Access.ZERO_BASED ? dice.oneIn(8) : !dice.oneIn(3)) {
                some.add(a);
            }
        }
        if (withNull) {
            some.add(null);
        }
        return some.toArray(new Access[0]);
    }

    private long number() {
        List<Object> regions = world.all(MemoryRegion.class);
        if (!regions.isEmpty() && dice.oneIn(2)) {
            MemoryRegion mr = (MemoryRegion) dice.of(regions);
            return mr.address() + dice.of(0, 8, 1, -1, 4096);
        }
        return LONGS[dice.below(LONGS.length)];
    }

    @SuppressWarnings("MustBeClosedChecker") // a few bytes, until the collector finds them
    private MemorySegment segment() {
        return switch (dice.below(9)) {
            case 0 -> MemorySegment.ofArray(new byte[dice.of(0, 16, 64, 4096)]);
            case 1 -> Arena.ofConfined().allocate(64);
            case 2 -> freed();
            case 3 -> MemorySegment.NULL;
            case 4 -> Arena.ofAuto().allocate(4096).asReadOnly();
            case 5 -> confinedElsewhere();
            case 6 -> MemorySegment.ofArray(new long[8]).asReadOnly();
            default -> Arena.ofAuto().allocate(dice.of(1, 64, 4096));
        };
    }

    private static MemorySegment freed() {
        try (Arena arena = Arena.ofShared()) {
            return arena.allocate(64);
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // its thread has ended: it cannot be closed
    private static MemorySegment confinedElsewhere() {
        MemorySegment[] made = new MemorySegment[1];
        Thread other = Thread.ofVirtual().start(() -> made[0] = Arena.ofConfined().allocate(64));
        try {
            other.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return MemorySegment.NULL;
        }
        return made[0];
    }
}
