package io.loomverbs.tools;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * Ends the process at the next Ctrl-C. The JVM ignores it while it is shutting down because of a
 * first Ctrl-C.
 *
 * <p>By reflection: javac knows {@code sun.misc.Signal} with a warning only, and warnings are
 * errors here. Where there is no such class, Ctrl-C is ignored as before.
 */
final class SecondInterrupt {
    private static final int STATUS = 130;

    private SecondInterrupt() {}

    static void haltsAtOnce() {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
            Object handler =
                    Proxy.newProxyInstance(
                            SecondInterrupt.class.getClassLoader(),
                            new Class<?>[] {handlerType},
                            (proxy, method, args) -> {
                                Runtime.getRuntime().halt(STATUS);
                                return null;
                            });
            signal.getMethod("handle", signal, handlerType)
                    .invoke(null, signal.getConstructor(String.class).newInstance("INT"), handler);
        } catch (ClassNotFoundException
                | NoSuchMethodException
                | InstantiationException
                | IllegalAccessException
                | InvocationTargetException e) {
            // Harmless: the first Ctrl-C still ends the process.
        }
    }
}
