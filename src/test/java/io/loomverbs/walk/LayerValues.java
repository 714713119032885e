package io.loomverbs.walk;

import io.loomverbs.MemoryRegion;
import io.loomverbs.blocking.Description;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.RequestsConfig;
import io.loomverbs.cm.ConnectionConfig;
import io.loomverbs.support.Fixture;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;

/** What the packages above the verbs take, besides what the verbs do. */
final class LayerValues extends Values {
    private static final int[] INTS = {
        -1, 0, 0, 1, 1, 2, 3, 4, 7, 8, 16, 64, 255, 256, 1024, 1 << 16, Integer.MIN_VALUE
    };

    LayerValues(World world, Dice dice) {
        super(world, dice);
    }

    @Override
    int number(int any) {
        return dice.of(INTS); // a pool has as much memory as it is told to
    }

    @Override
    Object make(Class<?> type) {
        if (type == byte[].class) {
            return new byte[dice.of(0, 16, 56, 57, 136, 137, 148, 149, 180, 181, 196, 197)];
        } else if (type == ByteBuffer.class) {
            return ByteBuffer.allocate(dice.of(0, 19, 20, 40));
        } else if (type == InetSocketAddress.class) {
            return dice.of(
                    new InetSocketAddress(Fixture.host(), 0),
                    new InetSocketAddress(Fixture.host(), 1),
                    new InetSocketAddress("192.0.2.1", 1),
                    new InetSocketAddress("239.1.2.3", 1),
                    InetSocketAddress.createUnresolved("nowhere.invalid", 1));
        } else if (type == ConnectionConfig.class) {
            return ConnectionConfig.defaults();
        } else if (type == RequestsConfig.class) {
            return RequestsConfig.of();
        } else if (type == RemoteRegion.class) {
            return new RemoteRegion(dice.any(), (int) dice.any(), dice.of(0, 7, 8, 64, 4096));
        } else if (type == MeterRegistry.class) {
            return new SimpleMeterRegistry();
        } else if (type == Tag[].class) {
            return dice.oneIn(20) ? new Tag[1] : new Tag[] {Tag.of("of", "the walk")};
        } else if (type == Description.class) {
            return description();
        }
        return super.make(type);
    }

    private Description description() {
        List<Object> regions = world.all(MemoryRegion.class);
        MemoryRegion mr = regions.isEmpty() ? null : (MemoryRegion) dice.of(regions);
        return switch (mr == null ? 0 : dice.below(4)) {
            case 0 -> wr -> wr.send();
            case 1 -> wr -> wr.send().sge(mr);
            case 2 -> wr -> wr.rdmaRead(mr.address(), mr.rkey()).sge(mr, 0, 8);
            default ->
                    wr -> {
                        throw new IllegalStateException("a description that fails");
                    };
        };
    }
}
