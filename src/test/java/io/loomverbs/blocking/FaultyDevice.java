package io.loomverbs.blocking;

import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.FreshDevice;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** An embedded device, some of whose calls fail as a test wants. */
final class FaultyDevice implements DeviceOps {
    /** What is done instead of a post. */
    interface Posting {
        long post(QpOps qp, SendWr first);
    }

    private final DeviceOps soft = FreshDevice.create();

    /** In place of each post of sends. */
    volatile Posting sends = QpOps::postSend;

    /** How many posts of receives succeed before one that fails. */
    final AtomicInteger goodReceives = new AtomicInteger(Integer.MAX_VALUE);

    /** How many registrations succeed before one that fails. */
    final AtomicInteger goodRegions = new AtomicInteger(Integer.MAX_VALUE);

    /** How many changes of queue pairs succeed before one that fails. */
    final AtomicInteger goodModifies = new AtomicInteger(Integer.MAX_VALUE);

    /** Whether it refuses all of them. */
    volatile boolean alwaysRefusesToModify;

    /** What happens while the device refuses such a change. */
    volatile Runnable duringRefusal = () -> {};

    /** How many deregistrations succeed before one that fails. */
    final AtomicInteger goodDeregs = new AtomicInteger(Integer.MAX_VALUE);

    /** What is thrown once, after a receive was posted. */
    final AtomicReference<Error> afterReceive = new AtomicReference<>();

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
        return faulty(ContextOps.class, soft.open(events));
    }

    /** Posts the first requests of a chain, and refuses the one behind them. */
    static long refuse(QpOps qp, SendWr first, int accepted) {
        SendWr last = first;
        for (int i = 1; i < accepted; i++) {
            last = last.next();
        }
        if (accepted > 0) {
            SendWr rest = last.next();
            last.next(null);
            long result = qp.postSend(first);
            last.next(rest);
            if (result != PostResult.OK) {
                throw new AssertionError("refused by the device: " + result);
            }
        }
        return PostResult.failed(Errno.ENOMEM, accepted);
    }

    static int length(SendWr first) {
        int n = 0;
        for (SendWr wr = first; wr != null; wr = wr.next()) {
            n++;
        }
        return n;
    }

    private <T> T faulty(Class<T> type, T ops) {
        InvocationHandler handler = (_, method, args) -> call(ops, method, args);
        ClassLoader loader = FaultyDevice.class.getClassLoader();
        return type.cast(Proxy.newProxyInstance(loader, new Class<?>[] {type}, handler));
    }

    private Object call(Object ops, Method method, Object[] args) throws Throwable {
        switch (method.getName()) {
            case "postSend" -> {
                return sends.post((QpOps) ops, (SendWr) args[0]);
            }
            case "postRecv" -> {
                if (goodReceives.getAndDecrement() == 0) {
                    return PostResult.failed(Errno.ENOMEM, 0);
                }
                Error met = afterReceive.getAndSet(null);
                if (met != null) {
                    method.invoke(ops, args);
                    throw met;
                }
            }
            case "modify" -> {
                if (goodModifies.getAndDecrement() == 0 || alwaysRefusesToModify) {
                    duringRefusal.run();
                    return -Errno.ENOMEM;
                }
            }
            case "dereg" -> {
                if (goodDeregs.getAndDecrement() == 0) {
                    return -Errno.EBUSY;
                }
            }
            case "regMr" -> {
                if (goodRegions.getAndDecrement() == 0) {
                    throw new DeviceException(Errno.ENOMEM, "planted");
                }
            }
            default -> {}
        }
        Object result;
        try {
            result = method.invoke(ops, args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
        return switch (result) {
            case PdOps pd -> faulty(PdOps.class, pd);
            case QpOps qp -> faulty(QpOps.class, qp);
            case MrOps mr -> faulty(MrOps.class, mr);
            case null, default -> result;
        };
    }
}
