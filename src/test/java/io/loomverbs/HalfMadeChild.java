package io.loomverbs;

import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.soft.FreshDevice;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.function.Supplier;

/** Creates one object of each kind while the verb that creates it uses up all memory. */
final class HalfMadeChild {
    private static final Set<String> CREATIONS =
            Set.of(
                    "createCompChannel",
                    "createCq",
                    "allocPd",
                    "regMr",
                    "createQp",
                    "createAh",
                    "allocMw",
                    "createSrq");

    /** What uses up the memory: a list whose first element is the next one. */
    static Object[] hoard;

    private HalfMadeChild() {}

    public static void main(String[] args) throws Exception {
        Context context = Opened.open(device());
        CompletionChannel channel = created("channel", context::createCompChannel);
        CompletionQueue cq = created("CQ", () -> context.createCq(1, null, null, 0));
        CompletionQueue direct = created("direct CQ", () -> context.createDirectCq(1));
        ProtectionDomain pd = created("PD", context::allocPd);
        MemorySegment memory = Arena.global().allocate(8);
        MemoryRegion mr = created("MR", () -> pd.regMr(memory));
        MemoryWindow mw = created("MW", () -> pd.allocMw(MwType.TYPE_1));
        QpConfig config = QpConfig.of(QpType.RC, cq);
        QueuePair qp = created("QP", () -> pd.createQp(config));
        SharedReceiveQueue srq = created("SRQ", () -> pd.createSrq(SrqAttributes.of(1)));
        AhAttributes address = AhAttributes.of(context.gid(1, 0), 1);
        AddressHandle ah = created("AH", () -> pd.createAh(address));
        for (AutoCloseable object :
                new AutoCloseable[] {ah, srq, qp, mw, mr, pd, direct, cq, channel}) {
            object.close();
        }
        context.close();
        System.out.println("all closed");
    }

    private static <T> T created(String what, Supplier<T> creation) {
        Object given;
        try {
            given = creation.get();
        } catch (OutOfMemoryError e) {
            given = e;
        }
        hoard = null;
        if (given instanceof OutOfMemoryError e) {
            System.out.println("no " + what);
            throw e;
        }
        @SuppressWarnings("unchecked")
        T made = (T) given;
        return made;
    }

    static void useUp() {
        for (int n = 1 << 16; n > 0; n = n / 2) {
            try {
                while (true) {
                    Object[] next = new Object[n];
                    next[0] = hoard;
                    hoard = next;
                }
            } catch (OutOfMemoryError e) {
                // then smaller ones
            }
        }
    }

    private static DeviceOps device() {
        DeviceOps soft = FreshDevice.create();
        return new DeviceOps() {
            @Override
            public String name() {
                return soft.name();
            }

            @Override
            public long guid() {
                return soft.guid();
            }

            @Override
            public ContextOps open(PortListener events) {
                return greedy(ContextOps.class, soft.open(events));
            }
        };
    }

    /** The same, but that its creations use up the memory. */
    private static <T> T greedy(Class<T> type, T ops) {
        InvocationHandler handler =
                (proxy, method, args) -> {
                    Object result;
                    try {
                        result = method.invoke(ops, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    if (result instanceof PdOps pd) {
                        result = greedy(PdOps.class, pd);
                    }
                    if (CREATIONS.contains(method.getName())) {
                        useUp();
                    }
                    return result;
                };
        return type.cast(
                Proxy.newProxyInstance(
                        HalfMadeChild.class.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
