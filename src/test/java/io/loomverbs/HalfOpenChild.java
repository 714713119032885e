package io.loomverbs;

import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.soft.FreshDevice;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Opens a device that is open already when something fails. */
final class HalfOpenChild {
    /** Whether the device has been asked for everything that a context needs to know. */
    private static boolean known;

    private static int open;

    private HalfOpenChild() {}

    public static void main(String[] args) {
        DeviceOps soft = FreshDevice.create();
        DeviceOps device =
                new DeviceOps() {
                    @Override
                    public String name() {
                        if (known) { // a context that is tracked is named once it is open
                            throw new IllegalStateException("planted");
                        }
                        return soft.name();
                    }

                    @Override
                    public long guid() {
                        return soft.guid();
                    }

                    @Override
                    public ContextOps open(PortListener events) {
                        open++;
                        return counted(soft.open(events));
                    }
                };
        String outcome = "opened";
        try {
            Opened.open(device);
        } catch (IllegalStateException e) {
            outcome = e.getMessage();
        }
        known = false;
        System.out.println(
                outcome + ", open: " + open + ", kept: " + OpenObjects.contexts().size());
    }

    private static ContextOps counted(ContextOps ops) {
        return (ContextOps)
                Proxy.newProxyInstance(
                        HalfOpenChild.class.getClassLoader(),
                        new Class<?>[] {ContextOps.class},
                        (proxy, method, args) -> {
                            if (method.getName().equals("close")) {
                                open--;
                            }
                            known = known || method.getName().equals("queryDevice");
                            try {
                                return method.invoke(ops, args);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }
}
