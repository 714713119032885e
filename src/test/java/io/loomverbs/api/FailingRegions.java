package io.loomverbs.api;

import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.LostRegionException;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.StubContext;
import io.loomverbs.internal.soft.FreshDevice;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/** Fails to change regions, as it is told. */
public final class FailingRegions implements DeviceOps {
    public DeviceException failure = new LostRegionException(Errno.EIO, "planted");

    @Override
    public String name() {
        return "failing";
    }

    @Override
    public long guid() {
        return 1;
    }

    @Override
    public ContextOps open(PortListener events) {
        return new StubContext(FreshDevice.create().open(events).queryDevice()) {
            @Override
            public PdOps allocPd() {
                return new Pd();
            }

            @Override
            public void close() {}
        };
    }

    private final class Pd implements PdOps {
        @Override
        public MrOps regMr(MemorySegment memory, int access) {
            return new Mr();
        }

        @Override
        public int dealloc() {
            return 0;
        }
    }

    private final class Mr implements MrOps {
        @Override
        public int lkey() {
            return 7;
        }

        @Override
        public int rkey() {
            return 7;
        }

        @Override
        public MrOps rereg(
                int flags, @Nullable PdOps pd, @Nullable MemorySegment memory, int access) {
            throw failure;
        }

        @Override
        public int dereg() {
            return 0;
        }
    }
}
